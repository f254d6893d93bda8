"""What the report says in sentences, in a terminal and on the page alike."""

from infra.local.analysis.figures import Skill
from plumbline.summaries.wording import share


def skill_words(skill: Skill) -> str:
    """The Sharpe ratio with its doubt, and what is left of the best configuration's when luck is taken off it."""
    if skill.sharpe is None or skill.above_zero is None:
        return "Too few days for a Sharpe ratio."
    said = (
        f"Sharpe ratio {_signed(skill.sharpe)} a day over {skill.days} days: above zero with a probability of "
        f"{share(100 * skill.above_zero)}."
    )
    if skill.best is None or skill.best_sharpe is None or skill.best_deflated is None:
        return said
    if skill.configurations == 1:
        return f"{said} One configuration was tried: there is no luck of choosing to take off."
    return (
        f"{said} The best of {skill.configurations} configurations, {skill.best[:8]}, has "
        f"{_signed(skill.best_sharpe)}; the probability that it is above what the best of so many tries shows by luck "
        f"alone (deflated Sharpe ratio) is {share(100 * skill.best_deflated)}."
    )


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
