#!/usr/bin/env python3
"""make_package.py deb|rpm [BUILD [OUTPUT]]: a package of the program in BUILD (default: build), laid below OUTPUT (default:
BUILD). Works as an ordinary user and without a network; needs dpkg-dev or rpmbuild. Prints the package's path."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# As Debian's own tools take it.
MAINTAINER = f"{os.environ.get('DEBFULLNAME', 'Postrider')} <{os.environ.get('DEBEMAIL', 'postmaster@localhost')}>"
# Names that a mail-transport-agent of Debian has as files of its own; the others are alternatives (share/place.sh).
MTA = ("sendmail", "mailq", "newaliases", "postfix", "postconf", "postcat", "postalias", "postmap", "postqueue", "postsuper")
CHANGELOG = "postrider ({version}) stable; urgency=medium\n\n  * See the project's history.\n\n -- {maintainer}  {date}\n"


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], check=False, **options)
    if done.returncode:
        sys.exit(f"make_package: {command[0]} ended with status {done.returncode}")
    return done.stdout


def version(program):
    return run(program, "version", capture_output=True, text=True).split()[1]


def stripped(program, folder):
    """The program without what debuggers need: a tenth of its size."""
    copy = folder / "postrider"
    shutil.copy(program, copy)
    copy.chmod(0o755)
    run("strip", "--strip-unneeded", copy)
    return copy


def faces():
    lines = (ROOT / "share" / "faces").read_text().splitlines()
    return [tuple(line.split()) for line in lines]


# ---- Debian ----

def link_names(tree):
    """The old programs' own names, and their pages."""
    for folder, name, _ in faces():
        if name not in MTA:
            continue
        (tree / "usr" / folder / name).symlink_to(f"{name}.postrider")
        (tree / f"usr/share/man/man1/{name}.1.gz").symlink_to("postrider-programs.1.gz")
    (tree / "usr/lib/sendmail").symlink_to("../sbin/sendmail")


def write_documents(tree, number):
    doc = tree / "usr/share/doc/postrider"
    doc.mkdir(parents=True)
    shutil.copy(ROOT / "share/deb/copyright", doc)
    for name in ("INSTALL.md", "MIGRATION.md", "IMPORT.md"):
        shutil.copy(ROOT / "docs" / name, doc)
    date = run("date", "-R", "-u", "-d", "@" + os.environ.get("SOURCE_DATE_EPOCH", "0"), capture_output=True, text=True).strip()
    (doc / "changelog").write_text(CHANGELOG.format(version=number, date=date, maintainer=MAINTAINER))
    run("gzip", "-9n", doc / "changelog")


def shared_libraries(program, folder):
    """What dpkg knows of the packages that the program's libraries come from."""
    (folder / "debian").mkdir()
    (folder / "debian/control").write_text("Source: postrider\n\nPackage: postrider\nArchitecture: any\n")
    said = run("dpkg-shlibdeps", "-O", "--ignore-missing-info", f"-e{program}", cwd=folder, capture_output=True, text=True)
    return re.search(r"shlibs:Depends=(.*)", said)[1]


def write_control(tree, folder, number):
    control = tree / "DEBIAN"
    control.mkdir()
    size = sum(f.stat().st_size for f in tree.rglob("*") if f.is_file() and not f.is_symlink()) // 1024
    values = {"version": number, "maintainer": MAINTAINER, "size": str(size), "depends": shared_libraries(tree / "usr/sbin/postrider", folder),
              "architecture": run("dpkg", "--print-architecture", capture_output=True, text=True).strip()}
    text = (ROOT / "share/deb/control.in").read_text()
    (control / "control").write_text(re.sub(r"@(\w+)@", lambda m: values[m[1]], text))
    (control / "conffiles").write_text("".join(f"/{f.relative_to(tree)}\n" for f in sorted((tree / "etc").rglob("*")) if f.is_file()))
    for name in ("postinst", "prerm", "postrm", "triggers"):
        shutil.copy(ROOT / "share/deb" / name, control)
        (control / name).chmod(0o644 if name == "triggers" else 0o755)
    files = sorted(f for f in tree.rglob("*") if f.is_file() and not f.is_symlink() and "DEBIAN" not in f.parts and "etc" not in f.parts[-4:])
    sums = run("md5sum", *[f.relative_to(tree) for f in files], cwd=tree, capture_output=True, text=True)
    (control / "md5sums").write_text(sums)
    return values["architecture"]


def set_modes(tree):
    """Whatever the umask is."""
    for path in tree.rglob("*"):
        if path.is_dir() and path.name != "maildrop":
            path.chmod(0o755)


def deb(program, output, folder):
    tree = folder / "tree"
    (tree / "usr/sbin").mkdir(parents=True)
    number = version(program)
    shutil.move(stripped(program, folder), tree / "usr/sbin/postrider")
    run(ROOT / "share/install.sh", tree, "/usr", program, env={**os.environ, "COMPRESS": "yes"})
    link_names(tree)
    write_documents(tree, number)
    set_modes(tree)
    architecture = write_control(tree, folder, number)
    package = output / f"postrider_{number}_{architecture}.deb"
    run("dpkg-deb", "--root-owner-group", "--build", tree, package, stdout=subprocess.DEVNULL)
    return package


# ---- RPM ----

def rpm(program, output, folder):
    if not shutil.which("rpmbuild"):
        sys.exit("make_package: rpmbuild is missing (Debian: the package rpm)")
    copy = stripped(program, folder)
    macros = {"_topdir": folder / "rpm", "_rpmdir": folder, "_rpmfilename": "postrider.rpm", "program_version": version(program),
              "program": copy, "source": ROOT}
    words = [w for name, value in macros.items() for w in ("--define", f"{name} {value}")]
    run("rpmbuild", "--quiet", "-bb", *words, ROOT / "share/rpm/postrider.spec", stdout=subprocess.DEVNULL)
    name = run("rpm", "-qp", "--qf", "%{name}-%{version}-%{release}.%{arch}.rpm", folder / "postrider.rpm", capture_output=True, text=True)
    shutil.move(folder / "postrider.rpm", output / name)
    return output / name


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("deb", "rpm"):
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "build").resolve()
    output = pathlib.Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else build
    with tempfile.TemporaryDirectory(prefix="package.") as folder:
        os.chmod(folder, 0o755)
        make = deb if sys.argv[1] == "deb" else rpm
        print(make(build / "postrider", output, pathlib.Path(folder)))


if __name__ == "__main__":
    main()
