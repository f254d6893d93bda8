"""Training of the policy: candles in, `policy.onnx` out, with every figure that the model card shows.

Two interpreters share the work and pass each other files. Python 3.13 reads candles, makes examples with the service's
own feature code, scores and writes the card; the training environment (3.11, torch) fits and exports. `network`,
`fitting` and `export` belong to the second; `folds` and `scores` need numpy alone and run on both.
"""
