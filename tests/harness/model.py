"""The API model, as the tree has it: what operations take and give."""

import http.client
import json

from stator import ROOT

MODEL = ROOT / "server" / "model"


def load(name):
    return json.loads((MODEL / name).read_text())


SERVICES = [load("dynamodb.json"), load("dynamodbstreams.json")]
CLASSES = load("members.json")["structures"]
OPERATIONS = {
    name: {"target": f"{service['metadata']['targetPrefix']}.{name}", **operation}
    for service in SERVICES
    for name, operation in service["operations"].items()
}
SHAPES = {name: shape for service in SERVICES for name, shape in service["shapes"].items()}

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=me/20260101/eu-central-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def call(server, operation, body):
    """Status and body of the answer to one operation, as it is on the wire."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": OPERATIONS[operation]["target"],
        "Authorization": AUTHORIZATION,
        "X-Amz-Date": "20260101T000000Z",
    }
    body = body if isinstance(body, (str, bytes)) else json.dumps(body)
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


def offences(value, shape, place="answer"):
    """What of an answer the model does not allow."""
    definition = SHAPES[shape]
    kind = definition["type"]
    expected = {
        "structure": dict,
        "map": dict,
        "list": list,
        "boolean": bool,
        "integer": int,
        "long": int,
        "double": (int, float),
        "timestamp": (int, float),
    }.get(kind, str)
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean"):
        return [f"{place}: {value!r} is no {kind}"]
    found = []
    if kind == "structure":
        members = definition["members"]
        missing = set(definition.get("required", [])) - set(value)
        found += [f"{place}.{name} is required" for name in missing]
        for name, inner in value.items():
            if name in members:
                found += offences(inner, members[name]["shape"], f"{place}.{name}")
            else:
                found.append(f"{place}.{name} is not in the model")
    elif kind == "map":
        for key, inner in value.items():
            found += offences(inner, definition["value"]["shape"], f"{place}.{key}")
    elif kind == "list":
        for number, inner in enumerate(value):
            found += offences(inner, definition["member"]["shape"], f"{place}[{number}]")
    elif "enum" in definition and value not in definition["enum"]:
        found.append(f"{place}: {value} is not of the enumeration")
    return found


def example(shape):
    """A value of the shape that breaks none of its constraints, as small as may be."""
    definition = SHAPES[shape]
    kind = definition["type"]
    if shape == "AttributeValue":
        return {"S": "x"}
    if kind == "structure":
        members = definition["members"]
        return {name: example(members[name]["shape"]) for name in definition.get("required", [])}
    if kind == "list":
        return [example(definition["member"]["shape"])] * max(1, definition.get("min", 0))
    if kind == "map":
        return {"aaa": example(definition["value"]["shape"])}
    if kind in ("integer", "long", "double", "timestamp"):
        return max(1, definition.get("min", 1))
    if kind == "boolean":
        return True
    return definition["enum"][0] if "enum" in definition else "a" * max(3, definition.get("min", 0))


def refused(operation):
    """Of every member of the operation's input that is refused: its path as errors name it, and a
    request that has nothing else of what is on the way there."""

    root = OPERATIONS[operation]["input"]["shape"]

    def walk(shape, path, wrap, seen):
        definition = SHAPES[shape]
        if definition["type"] == "list":
            yield from walk(definition["member"]["shape"], path, lambda v: wrap([v]), seen)
        elif definition["type"] == "map":
            yield from walk(definition["value"]["shape"], path, lambda v: wrap({"aaa": v}), seen)
        elif definition["type"] == "structure" and shape not in seen:
            classes = CLASSES.get(shape, {})
            for name, member in definition["members"].items():
                inner = path + [name]

                def within(value, name=name, shape=shape):
                    # What the input itself requires is in the request that this is put into.
                    return wrap({**({} if shape == root else example(shape)), name: value})

                if name in classes.get("refused", []):
                    yield ".".join(inner), within(example(member["shape"]))
                    continue
                for value in classes.get("refused_values", {}).get(name, []):
                    shown = json.dumps(value).strip('"')
                    yield f"{'.'.join(inner)} {shown}", within(value)
                yield from walk(member["shape"], inner, within, seen | {shape})

    return list(walk(root, [], lambda value: value, frozenset()))
