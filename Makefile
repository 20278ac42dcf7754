# A thin front for Meson. `make run` and `make test` are all that a fresh Debian machine needs.
BUILD = build
PREFIX = /usr/local

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@tools/install_packages build
	@meson setup $(BUILD) --prefix=$(PREFIX) >/dev/null

run: all
	@python3 tools/demo.py $(BUILD)/postrider

test:
	@tools/install_packages build test
	@python3 tools/run_tests.py

fuzz:
	@tools/install_packages build test
	@python3 tools/fuzz.py $(FUZZERS)

soak: all
	@tools/install_packages build test
	@python3 tools/soak.py

bench: all
	@tools/install_packages build test
	@python3 bench/run.py $(ROWS)

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: all
	@meson install -C $(BUILD)

deb: all
	@python3 tools/make_package.py deb $(BUILD)

rpm: all
	@tools/install_packages package
	@python3 tools/make_package.py rpm $(BUILD)

clean:
	@rm -rf build build-*

.PHONY: all run test fuzz soak bench format install deb rpm clean
