#!/usr/bin/env python3
"""Many mutants in one build: each changes one place, and which one is on is chosen when the tests run.

Building the crate anew for each mutant takes far longer than the tests that kill it. Here all of them are compiled at
once, as `match mutant::on() { 17 => a <= b, _ => a < b }`, in a copy of the workspace.

    pip install tree-sitter tree-sitter-rust
    checks/mutation/schemata.py build            # writes the copy, takes out what does not compile, builds the tests
    checks/mutation/schemata.py list             # how many there are, by area
    checks/mutation/schemata.py run gap erase    # runs all of these areas, or `run 17 23`, or `run direct --every 4`

Results are added to `results.json` beside the copy, in the order of the phases below: a mutant that survives a phase
goes to the next.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

import tree_sitter
import tree_sitter_rust

from by_hand import BY_HAND

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
WORK = pathlib.Path(os.environ.get("MAPLE_MUTANTS", REPOSITORY / "target/mutants"))
COPY = WORK / "copy"
SOURCE = "crates/maple-tree/src"

AREAS = {
    "gap": ["gap/natural.rs", "gap/request.rs", "gap/summary.rs"],
    "erase": ["raw/erase.rs", "raw/erase/inside.rs"],
    "balance": ["raw/balance.rs"],
    "summarize": ["raw/summarize.rs"],
    "search": ["raw/search.rs", "raw/longest.rs"],
    "write": ["raw/trim.rs", "raw/write/direct.rs"],
    "publication": ["raw/shared/draft.rs", "raw/shared/erase.rs", "raw/shared/mod.rs", "raw/shared/retire.rs",
                    "raw/shared/store.rs", "raw/shared/write.rs", "node/unlink.rs", "node/in_place.rs", "node/bag.rs"],
    "reclaim": ["reclaim/epochs.rs", "reclaim/overflow.rs", "reclaim/record.rs"],
}

LOOM = {"loom_reclaim": [], "loom_shared": [
    "--skip", "free_at_empty", "--skip", "insert_and_erase_in_the_copy", "--skip", "nodes_are_used_again",
    "--skip", "merge_of_sparse", "--skip", "copies::compact", "--skip", "root_collapse_after_a_merge"]}

# What is run: a test binary, its arguments, what is set for it, and how many seconds of the processor it may take. The
# tests without a mutant take a tenth to a third of that.
PHASES = [
    ("lib", ["--skip", "worlds", "--skip", "visits"], {}, 25),
    ("lib", ["worlds", "--nocapture"], {"MAPLE_INDICES": "6"}, 40),
    ("model", [], {}, 150),
    ("lib", ["worlds", "--nocapture"], {}, 120),
    ("lib", ["visits"], {}, 120),
    ("shared", [], {}, 100),
    ("edges", [], {}, 60),
    ("objections", [], {}, 60),
    ("reclaim", [], {}, 60),
    *((name, arguments, {}, 120) for name, arguments in LOOM.items()),
]

# Mutants by hand have numbers of their own.
BY_HAND_FROM = 9001

OTHERS = {
    "<": ["<=", "=="], "<=": ["<", ">"], ">": [">=", "=="], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
    "+": ["-"], "-": ["+"], "*": ["+"], "/": ["*"], "%": ["/"],
    "<<": [">>"], ">>": ["<<"], "&": ["|"], "|": ["&"], "^": ["|"],
    "+=": ["-="], "-=": ["+="], "|=": ["&="], "&=": ["|="], "<<=": [">>="], ">>=": ["<<="],
}
METHODS = {"max": "min", "min": "max", "first": "last", "last": "first"}
# What else a function may return, by its type.
VALUES = {"bool": ["true", "false"], "usize": ["0", "1"], "u64": ["0", "1"], "u32": ["0", "1"], None: [""]}

LANGUAGE = tree_sitter.Language(tree_sitter_rust.language())

SWITCH = """//! Which mutant is on.

extern crate std;

use core::sync::atomic::{AtomicUsize, Ordering};

static ON: AtomicUsize = AtomicUsize::new(usize::MAX);

#[inline]
pub(crate) fn on() -> usize {
    match ON.load(Ordering::Relaxed) {
        usize::MAX => read(),
        on => on,
    }
}

#[cold]
fn read() -> usize {
    let on = std::env::var("MAPLE_MUTANT").ok().and_then(|on| on.parse().ok()).unwrap_or(0);
    ON.store(on, Ordering::Relaxed);
    on
}
"""


class File:
    """A source file and its mutants: for each node that has some, what stands in its place."""

    def __init__(self, name, by_hand, numbers, unviable):
        self.name = name
        text = (REPOSITORY / SOURCE / name).read_text()
        for number, (_, around, part, other) in by_hand:
            assert text.count(around) == 1 and around.count(part or around) == 1, (name, around)
            on = f"crate::mutant::on() == {number}"
            changed = f"if {on} {{ {other} }} else {{ {part} }}" if part else f"if {on} {{ {other} }} "
            # An expression, not the beginning of a statement.
            changed = f"({changed})" if part and not part.endswith(";") else changed
            text = text.replace(around, around.replace(part, changed) if part else changed + around)
        self.text = text.encode()
        self.numbers, self.unviable = numbers, unviable
        self.mutants = []
        self.out = self.rewrite(tree_sitter.Parser(LANGUAGE).parse(self.text).root_node)

    def of(self, node):
        return self.text[node.start_byte:node.end_byte].decode()

    def new(self, node, what):
        """The number of a mutant, or nothing if it is known not to compile."""
        number = next(self.numbers)
        if number in self.unviable:
            return None
        self.mutants.append((number, f"{self.name}:{node.start_point[0] + 1}", what))
        return number

    def rewrite(self, node):
        if self.numbers is None or is_left_out(node, self.of):
            return self.of(node)
        return self.mutated(node, self.parts(node))

    def parts(self, node):
        """The text of a node with its children rewritten."""
        text, at = "", node.start_byte
        for child in node.children:
            text += self.text[at:child.start_byte].decode() + self.rewrite(child)
            at = child.end_byte
        return text + self.text[at:node.end_byte].decode()

    def mutated(self, node, text):
        kind = node.type
        if kind in ("binary_expression", "compound_assignment_expr"):
            return self.chosen(node, text, self.other_operators(node))
        if kind == "unary_expression" and self.of(node).startswith("!"):
            return self.chosen(node, text, [self.of(node)[1:]])
        if kind == "call_expression" and (other := self.other_method(node)):
            return self.chosen(node, text, [other])
        if kind in ("call_expression", "identifier", "field_expression") and is_condition(node):
            return self.chosen(node, text, ["true", "false"])
        if kind == "expression_statement" and node.children[0].type in REMOVABLE:
            number = self.new(node, "removed: " + short(self.of(node)))
            return f"\n/*m{number}*/if crate::mutant::on() != {number} {{ {text} }}\n" if number else text
        if kind == "block" and node.parent.type == "function_item":
            return self.with_returns(node, text)
        return text

    def chosen(self, node, text, others):
        arms = ""
        for other in others:
            number = self.new(node, f"{short(self.of(node))} -> {short(other)}")
            if number:
                arms += f"\n/*m{number}*/{number} => {other},"
        return f"(match crate::mutant::on() {{{arms}\n/*m*/_ => {text} }})" if arms else text

    def other_operators(self, node):
        left, right = (self.of(node.child_by_field_name(side)) for side in ("left", "right"))
        operator = self.of(node.child_by_field_name("operator"))
        if operator in ("&&", "||"):
            return [] if "let " in self.of(node) else [left, right]
        return [f"{left} {other} {right}" for other in OTHERS.get(operator, [])]

    def other_method(self, node):
        function = node.child_by_field_name("function")
        if function.type != "field_expression":
            return None
        name = function.child_by_field_name("field")
        other = METHODS.get(self.of(name))
        if not other:
            return None
        return (self.text[node.start_byte:name.start_byte].decode() + other
                + self.text[name.end_byte:node.end_byte].decode())

    def with_returns(self, node, text):
        kind = node.parent.child_by_field_name("return_type")
        kind = kind and self.of(kind)
        values = ["None"] if kind and kind.startswith("Option<") else VALUES.get(kind, [])
        name = self.of(node.parent.child_by_field_name("name"))
        returns = ""
        for value in values:
            number = self.new(node.parent, f"{name} returns {value}".strip())
            if number:
                returns += f"\n/*m{number}*/if crate::mutant::on() == {number} {{ return {value}; }}"
        return "{" + returns + "\n/*m*/" + text[1:]


REMOVABLE = ("call_expression", "assignment_expression", "compound_assignment_expr", "try_expression")


def short(text):
    return re.sub(r"\s+", " ", text)[:90]


def is_condition(node):
    parent = node.parent
    return parent.type == "if_expression" and parent.child_by_field_name("condition") == node


def is_left_out(node, of):
    """What runs at compile time, in tests only, under loom only, or to print; and what was mutated by hand."""
    if node.type == "if_expression" and "mutant::on()" in of(node.child_by_field_name("condition")):
        return True
    if node.type in ("macro_invocation", "attribute_item", "const_item", "static_item", "array_type", "const_block"):
        return True
    if node.type == "function_item":
        if of(node.child_by_field_name("name")) == "fmt" or "const" in of(node).split("fn ")[0]:
            return True
    before = node.prev_named_sibling
    while before and before.type in ("attribute_item", "line_comment"):
        if re.search(r"cfg\((all\()?(test|loom)", of(before)):
            return True
        before = before.prev_named_sibling
    return False


def write_copy(unviable):
    """Writes the files with mutants; those."""
    numbers = iter(range(BY_HAND_FROM))
    next(numbers)
    hand_made = list(enumerate(((area, *one) for area, some in BY_HAND.items() for one in some), BY_HAND_FROM))
    mutants = [(number, area, file, short(f"{around}: {part} -> {other}"))
               for number, (area, file, around, part, other) in hand_made]
    areas = AREAS | {None: sorted({one[0] for some in BY_HAND.values() for one in some} - set(sum(AREAS.values(), [])))}
    for area, names in areas.items():
        for name in names:
            here = [(number, one[1:]) for number, one in hand_made if one[1] == name]
            file = File(name, here, numbers if area else None, unviable)
            path = COPY / SOURCE / name
            if path.read_text() != file.out:
                path.write_text(file.out)
            mutants += [(number, area, place, what) for number, place, what in file.mutants]
    return mutants


def prepare():
    WORK.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(COPY, ignore_errors=True)
    names = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if name.startswith(("crates", "Cargo", "README")):
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, COPY / name)
    (COPY / SOURCE / "mutant.rs").write_text(SWITCH)
    root = COPY / SOURCE / "lib.rs"
    root.write_text(root.read_text().replace("mod alloc;", "mod mutant;\nmod alloc;", 1))


def cargo(*arguments, loom=False):
    # As in `.ci/run`, and what takes less time to build.
    settings = {"CARGO_TARGET_DIR": str(WORK / "build-loom"), "RUSTFLAGS": "--cfg loom",
                "CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"} if loom else \
               {"CARGO_TARGET_DIR": str(WORK / "build"),
                "CARGO_PROFILE_TEST_OPT_LEVEL": "1", "CARGO_PROFILE_TEST_DEBUG": "false"}
    return subprocess.run(["cargo", *arguments, "--message-format=json"], cwd=COPY, env=os.environ | settings,
                          stdout=subprocess.PIPE, text=True).stdout.splitlines()


def marks(line_of, number):
    """The mutant in whose lines an error is."""
    for line in reversed(line_of[:number]):
        if found := re.findall(r"/\*m(\d*)\*/", line):
            return int(found[-1]) if found[-1] else None
    return None


def tests(*names):
    return [argument for name in names for argument in ("--test", name)]


def executables(lines):
    found = [message for message in map(json.loads, lines) if message.get("executable")]
    names = [message["target"]["name"] for message in found]
    return {"lib" if name == "maple_tree" else name: message["executable"] for name, message in zip(names, found)}


def build():
    """Writes the copy and builds the tests, without mutants that do not compile."""
    prepare()
    unviable = set()
    while True:
        mutants = write_copy(unviable)
        wrong = set()
        for line in cargo("check", "-p", "maple-tree"):
            message = json.loads(line)
            if message["reason"] != "compiler-message" or message["message"]["level"] != "error":
                continue
            for span in message["message"]["spans"]:
                path = COPY / span["file_name"]
                if path.exists():
                    lines = path.read_text().splitlines()
                    wrong.add(marks(lines, span["line_start"]))
            print(message["message"]["rendered"] if not wrong - {None} - unviable else "", end="")
        wrong -= {None}
        if not wrong:
            break
        print(f"{len(wrong)} do not compile: {sorted(wrong)}", flush=True)
        unviable |= wrong
    names = sorted({phase[0] for phase in PHASES} - {"lib", *LOOM})
    binaries = executables(cargo("test", "-p", "maple-tree", "--features", "std", "--no-run", "--lib", *tests(*names)))
    binaries |= executables(cargo("test", "-p", "maple-tree", "--release", "--no-run", *tests(*LOOM), loom=True))
    (WORK / "mutants.json").write_text(json.dumps([binaries, mutants, sorted(unviable)], indent=1))
    print(f"{len(mutants)} mutants, {len(unviable)} that do not compile; {binaries}")


def killed_by(binary, arguments, settings, seconds, number):
    """The test that fails with a mutant, or how else it ended; nothing if all pass."""
    process = subprocess.Popen(
        [binary, *arguments, "--test-threads=1"], cwd=COPY / "crates/maple-tree", text=True,
        env=os.environ | settings | {"MAPLE_MUTANT": str(number)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=lambda: (resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)),
                            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))))
    last = ""
    for line in process.stdout:
        if line.startswith("test "):
            last = line.removeprefix("test ").split(" ... ")[0].strip()
        # A test of many threads fails when all have ended; what they print is seen before if nothing is captured.
        if line.rstrip().endswith("FAILED") or " panicked at " in line:
            process.kill()
            process.wait()
            return last
    status = process.wait()
    if status in (-9, -24):
        return f"timeout: {last}"
    return f"status {status}: {last}" if status else None


def run(options):
    binaries, mutants, _ = json.loads((WORK / "mutants.json").read_text())
    path = WORK / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    wanted = options.wanted
    chosen = [mutant for mutant in mutants if not wanted or mutant[1] in wanted or str(mutant[0]) in wanted]
    chosen = chosen[::options.every]
    phases = list(enumerate(PHASES))[options.first:options.last + 1]

    def run_one(mutant):
        number, area, place, what = mutant
        result = {"area": area, "place": place, "what": what, "phases": [], "killed": None}
        result = result if options.again else results.get(str(number), result)
        for phase, (name, arguments, settings, seconds) in phases:
            if result["killed"]:
                break
            if phase not in result["phases"] and name in binaries:
                result["killed"] = killed_by(binaries[name], arguments, settings, seconds, number)
                result["phases"].append(phase)
        return str(number), result

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run_one, mutant) for mutant in chosen]):
            number, result = future.result()
            results[number] = result
            fate = result["killed"] or f"SURVIVES {result['phases']}"
            print(f"{number:5} {result['place']}: {result['what']}\n      {fate}", flush=True)
            path.write_text(json.dumps(results, indent=1))
    report(chosen, results)


def report(mutants, results):
    counts = collections.defaultdict(collections.Counter)
    for number, area, *_ in mutants:
        result = results.get(str(number))
        killed = result and result.get("killed")
        fate = "not run" if not result or not result["phases"] else "survived" if not killed else \
            "timed out" if killed.startswith("timeout") else "killed"
        counts[area][fate] += 1
        counts["all"][fate] += 1
    for area, fates in counts.items():
        print(f"{area:12}", dict(fates))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["build", "list", "run"])
    parser.add_argument("wanted", nargs="*", help="areas, or numbers")
    parser.add_argument("--every", type=int, default=1, help="a sample: each so manieth")
    parser.add_argument("--first", type=int, default=0, help="the phase to begin with")
    parser.add_argument("--last", type=int, default=len(PHASES) - 1, help="the last phase")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--again", action="store_true", help="also those that were run before")
    options = parser.parse_args()
    if options.command == "build":
        build()
    elif options.command == "run":
        run(options)
    else:
        _, mutants, _ = json.loads((WORK / "mutants.json").read_text())
        path = WORK / "results.json"
        results = json.loads(path.read_text()) if path.exists() else {}
        for number, area, place, what in mutants:
            if not options.wanted or area in options.wanted or str(number) in options.wanted:
                print(number, place, what, results.get(str(number), {}).get("killed", "not run"), sep="\t")
        report(mutants, results)


if __name__ == "__main__":
    sys.exit(main())
