"""docs/reference/api/<service>.md, of the protos and of the roles that the RPCs ask for."""

from collections.abc import Iterable, Iterator
from importlib import import_module

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
)

from demo.stack.options import FIXED_PORTS
from services.runtime.access.roles import Rpc
from tests.unit.reference import protos
from tests.unit.reference.protos import Comments, Place

HEAD = """# {name}

Made of [{path}](../../../protos/{path}) by `make docs`; a test compares. Port {port}; metrics {metrics}. {comment}

| RPC | asks | answers | role | what it does |
|---|---|---|---|---|
"""
REPEATED = FieldDescriptorProto.LABEL_REPEATED


def page(service: str) -> str:
    """Of ingest, warehouse, indexer or recommender."""
    file = protos.proto_files()[service]
    comments = protos.comments_of(file)
    parts = [_head(service, file, comments)]
    for index, message in enumerate(file.message_type):
        parts += _message(message, message.name, (protos.MESSAGES, index), comments)
    for index, enum in enumerate(file.enum_type):
        parts.append(_enum(enum, enum.name, (protos.ENUMS, index), comments))
    return "\n".join(parts)


def _head(service: str, file: FileDescriptorProto, comments: Comments) -> str:
    (rpc,) = file.service
    head = HEAD.format(
        name=f"{file.package}.{rpc.name}",
        path=file.name,
        port=FIXED_PORTS[service],
        metrics=FIXED_PORTS[f"{service}-metrics"],
        comment=comments.at(protos.SERVICES, 0),
    )
    roles = import_module(f"services.{service}.access").RPCS
    return head + "".join(
        _method(method, _role(roles[method.name]), comments.at(protos.SERVICES, 0, protos.METHODS_OF_SERVICE, index))
        for index, method in enumerate(rpc.method)
    )


def _role(rpc: Rpc) -> str:
    fields = ", ".join(f"`{field}`" for field in rpc.admin_fields)
    return rpc.role.name.lower() + (f"; admin with {fields}" if fields else "")


def _method(method: MethodDescriptorProto, role: str, comment: str) -> str:
    stream = "stream of " if method.server_streaming else ""
    asked, answered = _link(method.input_type), _link(method.output_type)
    return f"| `{method.name}` | {asked} | {stream}{answered} | {role} | {_cell(comment)} |\n"


def _message(message: DescriptorProto, name: str, place: Place, comments: Comments) -> Iterator[str]:
    if message.options.map_entry:
        return
    told = [f"## {name}", "", *_said(comments.at(*place))]
    if message.field:
        told += ["| field | type | meaning |", "|---|---|---|", *_fields(message, place, comments)]
    else:
        told.append("It has no fields.")
    yield "\n".join(told) + "\n"
    for index, nested in enumerate(message.nested_type):
        yield from _message(nested, f"{name}.{nested.name}", (*place, protos.MESSAGES_OF_MESSAGE, index), comments)
    for index, enum in enumerate(message.enum_type):
        yield _enum(enum, f"{name}.{enum.name}", (*place, protos.ENUMS_OF_MESSAGE, index), comments)


def _fields(message: DescriptorProto, place: Place, comments: Comments) -> Iterator[str]:
    maps = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    for index, field in enumerate(message.field):
        comment = comments.at(*place, protos.FIELDS_OF_MESSAGE, index)
        yield f"| `{field.name}` | {_type(field, maps)} | {_cell(comment)} |"


def _type(field: FieldDescriptorProto, maps: dict[str, DescriptorProto]) -> str:
    entry = maps.get(field.type_name.rsplit(".", 1)[-1])
    if entry is not None:
        key, value = entry.field
        return f"map of {_type(key, {})} to {_type(value, {})}"
    many = "repeated " if field.label == REPEATED else "optional " if field.proto3_optional else ""
    return many + (_link(field.type_name) if field.type_name else _scalar(field))


def _scalar(field: FieldDescriptorProto) -> str:
    return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def _link(type_name: str) -> str:
    """.afin.ingest.v1.Run is [Run](ingest.md#run), .google.protobuf.Timestamp is Timestamp."""
    parts = type_name.lstrip(".").split(".")
    if parts[0] != "afin":
        return parts[-1]
    name = ".".join(parts[3:])
    return f"[{name}]({parts[1]}.md#{name.lower().replace('.', '')})"


def _enum(enum: EnumDescriptorProto, name: str, place: Place, comments: Comments) -> str:
    rows = [
        f"| `{value.name}` | {_cell(comments.at(*place, protos.VALUES_OF_ENUM, index))} |"
        for index, value in enumerate(enum.value)
    ]
    return "\n".join([f"## {name}", "", *_said(comments.at(*place)), "| value | meaning |", "|---|---|", *rows]) + "\n"


def _said(comment: str) -> Iterable[str]:
    return (comment, "") if comment else ()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
