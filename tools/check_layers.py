#!/usr/bin/env python3
"""Checks who includes whom: each folder of src/ may include itself and what is listed here, nothing else;
and that `#if` on platforms stands under src/os/ alone. docs/ARCHITECTURE.md explains the table."""
import pathlib
import re
import sys

ALLOWED = {
    "base": "",
    "os": "base",
    "conf": "base",
    "mime": "base",
    "table": "base os",
    "content": "base mime table",
    "dkim": "base mime",
    "sasl": "base",
    "proto": "base mime",
    "io": "base os",
    "ipc": "base os io",
    "submit": "base os",
    "kv": "base os",
    "trace": "base kv",
    "store": "base mime kv trace",
    "queue": "base mime kv store trace",
    "auth": "base os io conf mime sasl table",
    "policy": "base conf mime table auth",
    "role": "base os conf mime content dkim sasl proto io ipc submit kv store queue table trace auth policy",
    "cli": "base os conf mime content dkim proto ipc submit table auth policy kv store",
}
ROLES = {"master", "auth", "edge", "mailbox", "relay", "agent"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
CONDITION = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b(.*)")


def folder_of(path):
    return path.split("/")[0]


def role_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "role" and len(parts) > 2 else None


def check_include(name, included, problems):
    if not pathlib.Path("src", included).exists():
        problems.append(f"src/{name}: includes \"{included}\", which is not named from src/")
        return
    mine, theirs = folder_of(name), folder_of(included)
    if mine.endswith(".c"):
        return  # src/main.c puts the program together
    if theirs != mine and theirs not in ALLOWED.get(mine, "").split():
        problems.append(f"src/{name}: {mine}/ may not include {theirs}/ (\"{included}\")")
    if role_of(name) in ROLES and role_of(included) in ROLES and role_of(name) != role_of(included):
        problems.append(f"src/{name}: a role may not include another role (\"{included}\")")


def check_file(path, problems):
    name = path.relative_to("src").as_posix()
    guard = re.sub(r"[^A-Za-z0-9]", "_", name).upper()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if m := INCLUDE.match(line):
            check_include(name, m.group(1), problems)
        m = CONDITION.match(line)
        if m and folder_of(name) != "os" and m.group(2).strip() != guard:
            if not (m.group(1) == "ifndef" and m.group(2).strip() + " " in guard + " "):
                problems.append(f"src/{name}:{number}: a condition of the preprocessor outside src/os/")


def main():
    problems = []
    files = sorted(p for p in pathlib.Path("src").rglob("*.[ch]"))
    for folder in sorted(p.name for p in pathlib.Path("src").iterdir() if p.is_dir()):
        if folder not in ALLOWED:
            problems.append(f"src/{folder}/ is not in the table of {sys.argv[0]}")
    for path in files:
        check_file(path, problems)
    print("\n".join(problems) if problems else f"{len(files)} files keep the layers")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
