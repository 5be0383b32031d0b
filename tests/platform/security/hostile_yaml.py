"""Reads YAML that is made to harm, and prints what became of each: run by `test_hostile_texts` within bounds."""

import json

from equipoise.errors import ProtocolError
from equipoise.protocol.reading import read_yaml

DEEP = 10_000
LAUGHS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20))
HARMFUL = {
    "aliases": "a: &a [x, x]\nb: [*a, *a]\n",
    "a billion laughs": f"a0: &a0 [x]\n{LAUGHS}",
    "an alias in itself": "a: &a [*a]\n",
    "an alias of nothing": "a: *none\n",
    "a merge": "a: &a {x: 1}\nb: {<<: *a}\n",
    "ten thousand lists": "a: " + "[" * DEEP + "]" * DEEP,
    "ten thousand maps": "a: " + "{a: " * DEEP + "1" + "}" * DEEP,
    "ten thousand levels, one a line": "\n".join(" " * n + "a:" for n in range(1_500)),
    "ten thousand dashes": "- " * DEEP + "x",
    "ten thousand questions": "? " * DEEP,
    "brackets that never close": "a: " + "[" * DEEP,
    "a key twice": "a: 1\na: 2\n",
    "a key twice, once in quotes": "a: 1\n'a': 2\n",
    "a key twice, once escaped": 'a: 1\n"\\x61": 2\n',
    "a call": "a: !!python/object/apply:os.system ['true']\n",
    "a call in a map": "a: !!python/object/new:os.system {args: ['true']}\n",
    "a name of Python's": "a: !!python/name:os.system\n",
    "bytes": "a: !!binary aGVsbG8=\n",
    "a set": "a: !!set {x, y}\n",
    "an ordered map": "a: !!omap [x: 1]\n",
    "a tag of one's own": "a: !x 1\n",
    "a directive": "%TAG ! tag:example.org,2000:\n---\na: !x 1\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "a list as a key": "? [a, b]\n: 1\n",
    "a million keys": "".join(f"k{n}: 1\n" for n in range(180_000)),
    "a million entries": "a: [" + "1," * 900_000 + "]",
    "a number of 200,000 figures": "a: " + "9" * 200_000,
    "a fraction of 200,000 figures": "a: 1" + "0" * 200_000 + ".0e999",
    "a hexadecimal of 200,000 figures": "a: 0x" + "f" * 200_000,
    "no number": "a: .nan\n",
    "infinity": "a: -.inf\n",
    "a zero byte": "a: x\0y\n",
    "half a character": 'a: "\\ud800"\n',
    "a quotation that never ends": 'a: "' + "\\\n" * 300_000,
    "colons": "a" + ": " * 100_000,
    "more than any file has": "a: " + "x" * 2_000_001,
}
PLAIN = {
    "no": "a: NO",
    "sexagesimal": "a: 1:59:59",
    "date": "a: 2021-03-01",
    "merge": "a: {'<<': x}",
    "on": "a: on",
    "octal": "a: 0o10",
}


def main() -> None:
    refused, taken = {}, []
    for name, text in HARMFUL.items():
        try:
            read_yaml(text, "study/protocol.yaml")
        except ProtocolError as error:
            refused[name] = str(error)[:300]
        else:
            taken.append(name)
    plain = {name: read_yaml(text, "study/protocol.yaml").data["a"] for name, text in PLAIN.items()}
    print(json.dumps({"refused": refused, "taken": taken, "plain": plain}))


if __name__ == "__main__":
    main()
