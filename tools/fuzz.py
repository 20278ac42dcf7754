#!/usr/bin/env python3
"""make fuzz: builds the fuzzers with libFuzzer and runs them, two at a time, each for FUZZ_SECONDS (default 600), with the
corpus in fuzz/corpus as seeds; new inputs go to build-fuzz/found, crashes too. Names choose: make fuzz FUZZERS="mime imap"."""
import os
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path("build-fuzz")


def fuzz(program):
    name = program.name.removeprefix("fuzz_")
    found = ROOT / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    seconds = os.environ.get("FUZZ_SECONDS", "600")
    done = subprocess.run([str(program), f"-max_total_time={seconds}", f"-artifact_prefix={found}/", "-print_final_stats=1",
                           str(found), f"fuzz/corpus/{name}"], capture_output=True, text=True, check=False)
    print(f"{'ok' if done.returncode == 0 else 'FAILED'}: {name}", flush=True)
    if done.returncode:
        print(done.stderr[-4000:], flush=True)
    return done.returncode == 0


def main():
    if not (ROOT / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(ROOT), "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dfuzz=true"],
                       env=dict(os.environ, CC="clang"), check=True)
    subprocess.run(["ninja", "-C", str(ROOT), "-j2", "--quiet"], check=True)
    programs = [p for p in sorted((ROOT / "fuzz").glob("fuzz_*")) if p.is_file() and
                (len(sys.argv) < 2 or p.name.removeprefix("fuzz_") in sys.argv[1:])]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(fuzz, programs))
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
