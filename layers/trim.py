#!/usr/bin/env python3
"""Trims a package directory to what Lambda runs: no tests, sources or metadata, stripped libraries, bytecode.

Bytecode is checked against nothing (`unchecked-hash`): a package zip changes every file's time and is mounted
read-only, so a timestamped .pyc would be compiled again at each cold start, which costs two to seven times the import.
"""

import argparse
import compileall
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from py_compile import PycInvalidationMode

UNUSED_DIRECTORIES = ("tests", "__pycache__", "include", "*.dist-info", "bin")
UNUSED_FILES = ("*.a", "*.c", "*.cpp", "*.h", "*.hpp", "*.pxd", "*.pxi", "*.pyi", "*.pyx", "py.typed", ".lock")
STRIPPERS = {"x86_64": ("strip", "llvm-strip"), "arm64": ("aarch64-linux-gnu-strip", "llvm-strip")}

CCXT = '''"""ccxt reduced to the exchanges this layer was built for; each is imported when it is first asked for."""

from importlib import import_module

from ccxt.base import errors
from ccxt.base.errors import *

__version__ = {version!r}
exchanges = {exchanges!r}


def __getattr__(name):
    if name not in exchanges:
        raise AttributeError(f"module 'ccxt' has no attribute {{name!r}}: this layer holds {{', '.join(exchanges)}}")
    globals()[name] = getattr(import_module("ccxt." + name), name)
    return globals()[name]
'''


def main() -> None:
    """Trim the directory named on the command line."""
    wanted = _arguments()
    site = wanted.directory / "python" if (wanted.directory / "python").is_dir() else wanted.directory
    remove(site, wanted.drop)
    if wanted.only:
        keep_only(site, wanted.only)
    if wanted.services:
        keep_services(site / "botocore" / "data", wanted.services)
    if wanted.exchanges:
        keep_exchanges(site / "ccxt", wanted.exchanges)
    remove_unused(site)
    strip(site, STRIPPERS[wanted.architecture])
    compile_all(wanted.directory, wanted.mounted_at)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="the layer or function to trim")
    parser.add_argument("--architecture", choices=STRIPPERS, default="x86_64")
    parser.add_argument("--mounted-at", default="/opt", help="where Lambda mounts the directory")
    parser.add_argument("--drop", nargs="+", default=[], help="paths to remove, with wildcards")
    parser.add_argument("--only", nargs="+", default=[], help="the only files to keep of their package")
    parser.add_argument("--services", nargs="+", default=[], help="AWS services that botocore keeps")
    parser.add_argument("--exchanges", nargs="+", default=[], help="exchanges that ccxt keeps")
    return parser.parse_args()


def remove(site: Path, patterns: Iterable[str]) -> None:
    """Remove files and directories; a pattern that matches nothing is an error, since the package has changed."""
    for pattern in patterns:
        found = list(site.glob(pattern))
        if not found:
            raise SystemExit(f"{pattern} is not in {site}: the package has changed, look at what it holds now")
        for path in found:
            _delete(path)


def keep_only(site: Path, kept: Iterable[str]) -> None:
    """Of the packages of these files keep these files alone."""
    files = {site / name for name in kept}
    for package in {site / Path(name).parts[0] for name in kept}:
        missing = [str(path) for path in files if path.is_relative_to(package) and not path.is_file()]
        if missing:
            raise SystemExit(f"{', '.join(missing)} does not exist: the package has changed")
        for path in package.rglob("*"):
            if path.is_file() and path not in files:
                path.unlink()
        _drop_empty_directories(package)


def keep_services(data: Path, services: Iterable[str]) -> None:
    """Keep the definitions of these AWS services, and the files that botocore reads for all."""
    missing = [name for name in services if not (data / name).is_dir()]
    if missing:
        raise SystemExit(f"botocore has no definition of {', '.join(missing)}")
    for path in data.iterdir():
        if path.is_dir() and path.name not in services:
            shutil.rmtree(path)
    for examples in data.rglob("examples-1.json*"):
        examples.unlink()


def keep_exchanges(ccxt: Path, exchanges: list[str]) -> None:
    """Keep the synchronous classes of these exchanges behind a package that imports none of them by itself."""
    missing = [name for name in exchanges if not (ccxt / f"{name}.py").is_file()]
    if missing:
        raise SystemExit(f"ccxt has no exchange {', '.join(missing)}")
    version = _version(ccxt / "__init__.py")
    kept = {"base", "abstract", *(f"{name}.py" for name in exchanges)}
    for path in ccxt.iterdir():
        if path.name not in kept:
            _delete(path)
    for path in (ccxt / "abstract").iterdir():
        if path.stem not in {"__init__", *exchanges}:
            _delete(path)
    (ccxt / "__init__.py").write_text(CCXT.format(version=version, exchanges=exchanges), encoding="utf-8")


def remove_unused(site: Path) -> None:
    """Remove what is read by compilers, type checkers and test runners only."""
    for pattern in UNUSED_DIRECTORIES:
        for path in [path for path in site.rglob(pattern) if path.is_dir()]:
            shutil.rmtree(path, ignore_errors=True)  # it may lie inside one that has just gone
    for pattern in UNUSED_FILES:
        for path in site.rglob(pattern):
            path.unlink()


def strip(site: Path, tools: Iterable[str]) -> None:
    """Strip symbols that the dynamic linker does not need, where a tool for this architecture is installed."""
    libraries = [str(path) for path in site.rglob("*.so*") if path.is_file() and not path.is_symlink()]
    tool = next((tool for tool in tools if shutil.which(tool)), None)
    if libraries and tool:
        subprocess.run([tool, "--strip-unneeded", *libraries], check=True)  # noqa: S603  # paths we have just listed


def compile_all(directory: Path, mounted_at: str) -> None:
    """Compile every module, with the path that a traceback shows on Lambda."""
    done = compileall.compile_dir(
        directory,
        quiet=1,
        stripdir=str(directory),
        prependdir=mounted_at,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        raise SystemExit(f"a module in {directory} does not compile")


def _version(module: Path) -> str:
    for line in module.read_text(encoding="utf-8").splitlines():
        if line.startswith("__version__"):
            return line.split("=")[1].strip().strip("'\"")
    raise SystemExit(f"{module} states no __version__")


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _drop_empty_directories(package: Path) -> None:
    for path in sorted(package.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


if __name__ == "__main__":
    main()
