# make up        the whole stack on this machine: environment, tools, sandbox, `pulumi up`, load balancers and their pods
#                TRAFFIC=1 adds real packets (Linux), for `sandbox trace` and `sandbox compare`
# make down      `pulumi destroy`, then remove the sandbox
# make example   run one of examples/ in the sandbox after `make up`: make example NAME=existing-cluster
#                make example-down NAME=existing-cluster removes it
# make destroy   `pulumi destroy` of a stack; continues one that stopped halfway: make destroy STACK=dev
# make verify    check a running stack: make verify STACK=dev ARGS="--output dev.txt"; docs/verify.md
# make packages  Debian packages for real packets and the browser tests (as root)
# make test      everything that .ci/run runs after `make packages`
# make soak      test campaigns with full counts (hours), or some: make soak ARGS="-k rollouts"; docs/measured/reliability.md
# make upstream  the controller's own end-to-end suites, or some: make upstream ARGS="--focus QUIC"; docs/measured/upstream.md
# make scale     the controller with 100 load balancers and 500 bindings; writes docs/measured/scale.md
# make check     only lint, format, types, import layers and the policies' generated files; `make lint`: without types
# make docs      write the generated pages again: components, doctor, policies, changes, iam

# Targets start many Python processes. Let them cache bytecode, even if the shell disables that.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SANDBOX := $(BIN)/sandbox
# The stack `sandbox` is on this machine. All others are on AWS, with the shell's Pulumi CLI and credentials.
PULUMI = $(if $(filter sandbox,$(STACK)),$(SANDBOX) exec -- pulumi,pulumi)
POLICIES := --policy-pack policies --policy-pack-config policies/profiles/sandbox.json
STACK := sandbox
# Proxies, DNS, the kernel's tools, load generators, and a browser for the tests of `sandbox view`.
PACKAGES := haproxy dnsmasq-base iproute2 util-linux iptables nftables conntrack curl wrk chromium chromium-driver

.DEFAULT_GOAL := help
.PHONY: help environment packages up example example-down destroy down verify check lint docs test test-types test-all soak upstream measure measure-controller scale

help:
	@sed -n '/^#/!q; s/^# //p' Makefile

environment: $(VENV)/installed

$(VENV)/installed: pyproject.toml components/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' || \
	  { echo "Python 3.11 or 3.12 is needed, $$($(PYTHON) --version 2>&1) is here: name another with make PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing Python packages into $(VENV) (once, about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --editable components --editable '.[dev]'
	@touch $@

packages:
	@dpkg --status $(PACKAGES) >/dev/null 2>&1 || { apt-get -qq update && \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends $(PACKAGES); }

up: environment
	@$(SANDBOX) up $(if $(TRAFFIC),--traffic)
	@$(PULUMI) stack select --stack $(STACK) 2>/dev/null || $(PULUMI) stack init $(STACK)
	@$(PULUMI) up --stack $(STACK) --yes --skip-preview $(POLICIES)
	@$(SANDBOX) targets

example: environment
	@$(SANDBOX) exec -- $(BIN)/python examples/run.py up "$(NAME)"

example-down: environment
	@$(SANDBOX) exec -- $(BIN)/python examples/run.py down "$(NAME)"

# Deleting a guard runs its hook, which is in the program: --run-program. Without guards an earlier destroy has already
# deleted more, perhaps the cluster, without which the program cannot run.
destroy: $(if $(filter sandbox,$(STACK)),environment)
	@guarded=$$($(PULUMI) stack export --stack $(STACK) | grep -q '"BeforeDelete"' && echo --run-program); \
	$(PULUMI) destroy --stack $(STACK) $(if $(filter sandbox,$(STACK)),--yes --skip-preview) $$guarded

down: environment
	@if $(SANDBOX) exec -- pulumi stack ls 2>/dev/null | grep -q '^$(STACK)'; then $(MAKE) --no-print-directory destroy; fi
	@$(SANDBOX) down

# Read-only, from outside: a second preview, the doctor, targets and ready pods, host names, the role's permissions.
verify: environment
	@$(if $(filter sandbox,$(STACK)),$(SANDBOX) exec --) $(BIN)/python -m eks_load_balancing.verify --stack $(STACK) \
	  --cluster "$$($(PULUMI) stack output clusterName --stack $(STACK))" $(ARGS)

check: lint
	@$(BIN)/basedpyright --threads 2

lint: environment
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@PYTHONPATH=policies $(BIN)/lint-imports
	@$(BIN)/python policies/generate.py --check

docs: environment
	@$(BIN)/python -m eks_load_balancing.reference
	@$(BIN)/python -m eks_load_balancing.doctor.manual
	@$(BIN)/python policies/generate.py
	@$(BIN)/python -m docs.generate.changes
	@$(BIN)/python -m docs.generate.iam

# Types are checked beside the tests. Tests that measure seconds come first, because they leave the most CPU time for that;
# no other test runs beside them. With ARGS that select none of those, pytest ends with 5.
test: lint
	@$(BIN)/python -m sandbox.tools >/dev/null
	@$(MAKE) --no-print-directory --jobs 2 test-types test-all

test-types: environment
	@nice -n 19 $(BIN)/basedpyright

# Three workers on two cores, because tests also wait. One worker runs all tests of a file or group (tests/conftest.py).
test-all: environment
	@$(BIN)/pytest -m alone $(ARGS) || [ $$? = 5 ]
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder -m "not alone" $(ARGS)

soak: environment
	@SOAK=1 $(BIN)/pytest -m soak $(ARGS)

upstream: environment
	@$(BIN)/python -m tests.upstream $(ARGS)

measure: environment
	@$(BIN)/python -m benchmarks.sandbox
	@$(BIN)/python benchmarks/policies.py

measure-controller: environment
	@$(BIN)/python -m tests.conformance.measure $(ARGS)

scale: environment
	@$(BIN)/python -m tests.conformance.scale $(ARGS)
