"""The inner loops of arm64 objects, and what llvm-mca says of them.

An inner loop is a branch back and what it jumps over, without another such branch in it. Loops without a vector
instruction (the last numbers of a row, walks over lists) are left out.
"""
import dataclasses
import json
import re
import subprocess

CORES = ("cortex-a53", "cortex-a55", "cortex-a76", "cortex-x1", "apple-m1", "cortex-a510", "cortex-a710")

# Longer ones are whole functions around calls.
MOST_INSTRUCTIONS = 600

# Products, or floating-point operations, of an instruction on four lanes.
_SDOT = re.compile(r"^[su]dot\b")
_FMLA = re.compile(r"^fml[as]\b")
_SMLAL = re.compile(r"^[su]m(?:l[as]l|ull)2?\b")
_SMMLA = re.compile(r"^smmla\b")


@dataclasses.dataclass
class Loop:
    name: str
    lines: list  # Instructions, as the assembler takes them.
    begin: int = 0  # Addresses of the first and the last of them.
    end: int = 0

    def count(self, pattern):
        return sum(bool(re.match(pattern, line)) for line in self.lines)

    def products(self):
        """Products of numbers that an iteration adds up, in all lanes."""
        total = 0
        for line in self.lines:
            first = re.match(r"\S+ v\d+\.(\d+)", line)
            lanes = int(first[1]) if first else 1
            if _SMMLA.match(line):
                total += 8 * lanes
            elif _SDOT.match(line):
                total += 4 * lanes
            elif _FMLA.match(line):
                total += lanes
            elif _SMLAL.match(line):
                total += lanes
        return total


def short_name(name):
    """The function's name without arguments and namespaces, and the sizes that its templates were given."""
    functions = re.findall(r"(\w+)(?:<[^<>]*>)?\(", name.replace("(anonymous namespace)::", ""))
    ignored = {"lambda", "operator", "auto", "void", "decltype"}
    functions = [f for f in functions if f not in ignored]
    layers = re.findall(r"::(\w+)<handpick|::(\w+)\(", name.replace("(anonymous namespace)::", ""))
    layers = [a or b for a, b in layers if (a or b) not in ignored]
    short = layers[0] if layers else functions[0] if functions else name
    sizes = re.findall(r"integral_constant<(?:int|unsigned long), (\d+)u?l?>\s*>\(", name)
    sizes = sizes or re.findall(r"operator\(\)<std::integral_constant<(?:int|unsigned long), (\d+)", name)
    unique = list(dict.fromkeys(sizes[::-1]))
    return short + ("<" + "x".join(unique) + ">" if unique else "")


def _kind(lines):
    """What an iteration does, by its instructions: loops keep their names while only the order changes."""
    def count(pattern):
        return sum(bool(re.match(pattern, line)) for line in lines)
    sdot, fmla, smlal = count(_SDOT), count(_FMLA), count(_SMLAL)
    if count(_SMMLA):
        return f"{count(_SMMLA)} smmla"
    if sdot:
        return f"{sdot} sdot"
    if smlal:
        return f"{smlal} smull"
    if fmla >= 1:
        divisions = count(r"fdiv") + count(r"frecpe")
        return f"{fmla} fmla" + (f", {divisions} quotients" if divisions else "")
    return f"{len(lines)} instructions"


def assembled(line):
    """An instruction as the assembler takes it: no addresses, no names of symbols."""
    line = re.sub(r"\s+", " ", line.split("//")[0]).strip()
    line = re.sub(r"\s*<.*$", "", line)
    line = re.sub(r"^((?:b|b\.\w+|cbn?z|tbn?z)\b.*?)0x[0-9a-f]+$", r"\1.Lloop", line)
    line = re.sub(r"^(adrp? \w+,).*$", r"\1 .Lloop", line)
    return line


def functions_of(objdump, file):
    """[(name, [(address, instruction)])] of an object file or a program, in the order of the code."""
    text = subprocess.run([objdump, "-d", "-C", "--no-show-raw-insn", "--no-leading-headers", file], check=True,
                          capture_output=True, text=True).stdout
    functions = []
    for line in text.splitlines():
        head = re.match(r"^[0-9a-f]+ <(.*)>:$", line)
        if head:
            functions.append((head[1], []))
            continue
        instruction = re.match(r"^\s*([0-9a-f]+):\s+(\S.*)$", line)
        if instruction and functions and "R_AARCH64" not in line:
            functions[-1][1].append((int(instruction[1], 16), instruction[2].replace("\t", " ")))
    return functions


def stem_of_object(file):
    return re.sub(r"(\.pic)?\.o$", "", file.split("/")[-1])


def loops_of(functions, stem_of):
    """[Loop] of what functions_of says; stem_of(function): the name of its file."""
    found, seen = [], {}
    for function, code in functions:
        stem = stem_of(function)
        index = {address: i for i, (address, _) in enumerate(code)}
        backward = []
        for i, (address, line) in enumerate(code):
            branch = re.match(r"(?:b|b\.\w+|cbn?z|tbn?z)\b.*?0x([0-9a-f]+)(?: <.*)?$", line)
            target = index.get(int(branch[1], 16)) if branch else None
            if target is not None and target <= i:
                backward.append((target, i))
        for begin, end in backward:
            if any(begin <= b and e <= end and (b, e) != (begin, end) for b, e in backward):
                continue
            body = [assembled(line) for _, line in code[begin:end + 1]]
            if len(body) > MOST_INSTRUCTIONS or any(re.match(r"blr?\b", line) for line in body):
                continue
            if not any(re.search(r"\bq\d+|\bv\d+\.", line) for line in body):
                continue
            name = f"{stem}: {short_name(function)}, {_kind(body)}"
            seen[name] = seen.get(name, 0) + 1
            name = name if seen[name] == 1 else f"{name} #{seen[name]}"
            found.append(Loop(name, body, code[begin][0], code[end][0]))
    return found


# What the cores do not have is looked up in their models all the same.
_FEATURES = "+dotprod,+i8mm,+rdm"


def _mca_run(mca, core, source, iterations):
    run = subprocess.run(
        [mca, "-mtriple=aarch64", f"-mcpu={core}", f"-mattr={_FEATURES}", f"-iterations={iterations}", "-json",
         "-resource-pressure", "-instruction-info=false"],
        input=source, capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"llvm-mca failed: {run.stderr[:2000]}")
    return json.loads(run.stdout)


def analyse(mca, core, loops):
    """[{cycles, bound, port, instructions, products}] per iteration, for each of [Loop].

    cycles: of an iteration in the middle of many. bound: the larger of what the busiest port and what the number of
    instructions that begin in a cycle allow (llvm-mca's block reciprocal throughput).
    """
    if not loops:
        return []
    parts = []
    for i, loop in enumerate(loops):
        parts.append(f"# LLVM-MCA-BEGIN loop{i}\n" + "\n".join(loop.lines) + f"\n# LLVM-MCA-END loop{i}\n")
    source = ".Lloop:\n" + "\n".join(parts)
    few, many = 40, 120
    short, long = (_mca_run(mca, core, source, n) for n in (few, many))
    resources = short["TargetInfo"]["Resources"]
    results = []
    by_name = [{r["Name"]: r for r in run["CodeRegions"]} for run in (short, long)]
    for i, loop in enumerate(loops):
        a, b = (regions[f"loop{i}"] for regions in by_name)
        cycles = (b["SummaryView"]["TotalCycles"] - a["SummaryView"]["TotalCycles"]) / (many - few)
        total = len(a["Instructions"])
        pressure = {}
        for entry in a["ResourcePressureView"]["ResourcePressureInfo"]:
            if entry["InstructionIndex"] == total:
                pressure[entry["ResourceIndex"]] = entry["ResourceUsage"]
        port = max(pressure, key=pressure.get) if pressure else None
        results.append({
            "cycles": round(cycles, 2),
            "bound": a["SummaryView"]["BlockRThroughput"],
            "port": re.sub(r"[^\w]+$", "", resources[port]) if port is not None else "none",
            "instructions": len(loop.lines),
            "products": loop.products(),
        })
    return results
