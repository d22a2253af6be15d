"""Writes the fields of every table of FlatBuffers schemas, for mutations that know the structure.

    make_fields.py bundle_enums.fbs bundle.fbs > bundle_fields.inc

Knows what schema/*.fbs use: tables, structs and enumerations, fields without explicit ids, no unions.
"""
import re
import sys

SCALARS = {"bool": 1, "byte": 1, "ubyte": 1, "short": 2, "ushort": 2, "int": 4, "uint": 4, "float": 4, "long": 8,
           "ulong": 8, "double": 8}


def main():
    text = re.sub(r"//.*", "", "".join(open(path, encoding="utf-8").read() for path in sys.argv[1:]))
    sizes = dict(SCALARS)
    for name, base in re.findall(r"\benum\s+(\w+)\s*:\s*(\w+)", text):
        sizes[name] = SCALARS[base]
    structs = {}
    for name, body in re.findall(r"\bstruct\s+(\w+)[^{]*\{([^}]*)\}", text):
        structs[name] = sum(SCALARS[kind] for kind in re.findall(r":\s*(\w+)", body))
    tables = re.findall(r"\btable\s+(\w+)\s*\{([^}]*)\}", text)
    assert tables and "union" not in re.sub(r'"[^"]*"', "", text)
    numbers = {name: number for number, (name, _) in enumerate(tables)}
    visitors, shapes = [], []
    for name, body in tables:
        fields = re.findall(r"(\w+)\s*:\s*(\[?)\s*(\w+)\s*\]?[^;]*;", body)
        visits = "".join(f" (*visit)(&table->{field});" for field, _, _ in fields)
        visitors.append("template <typename Visit>\nvoid VisitFields(schema::%sT* table, Visit* visit) {%s }\n"
                        % (name, visits))
        rows = []
        for _, vector, kind in fields:
            # What the field is, and the bytes of an element or the number of the table.
            if kind == "string":
                rows.append("{Kind::kStrings, 4}" if vector else "{Kind::kVector, 1}")
            elif kind in numbers:
                rows.append("{Kind::%s, %d}" % ("kTables" if vector else "kTable", numbers[kind]))
            elif kind in structs:
                rows.append("{Kind::%s, %d}" % ("kVector" if vector else "kScalar", structs[kind]))
            else:
                rows.append("{Kind::%s, %d}" % ("kVector" if vector else "kScalar", sizes[kind]))
        shapes.append("    {%s},  // %s\n" % (", ".join(rows), name))
    print("// Made from the schema.\n" + "".join(visitors))
    print("const std::vector<std::vector<FieldShape>> kTables = {\n%s};" % "".join(shapes))
    print("constexpr size_t kRoot = %d;" % numbers[re.search(r"root_type\s+(\w+)", text).group(1)])


if __name__ == "__main__":
    main()
