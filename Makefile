# make up        the whole stack on this machine: environment, tools, sandbox, `pulumi up`, and what serves what
#                with TRAFFIC=1 it carries real packets (Linux): then `sandbox trace` and `sandbox compare` work
# make down      take it down again: `pulumi destroy`, then the sandbox itself
# make example   one of examples/ in the sandbox that make up leaves, with the clusters that it needs: make example
#                NAME=existing-cluster; make example-down NAME=... takes it down again
# make destroy   `pulumi destroy` of a stack, also where an earlier one stopped halfway: make destroy STACK=dev
# make verify    does a stack that is up work? make verify STACK=dev ARGS="--output dev.txt"; docs/verify.md
# make packages  Debian's packages that real packets and the browser's tests need (as root)
# make test      everything that .ci/run runs after `make packages`
# make soak      the campaigns of the tests in full (hours), or some: make soak ARGS="-k rollouts"; see docs/reliability.md
# make check     lint, format, types, import layers and generated files alone

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SANDBOX := $(BIN)/sandbox
# The sandbox's stack is on this machine; every other one is on AWS, with the Pulumi CLI and the credentials of the shell.
PULUMI = $(if $(filter sandbox,$(STACK)),$(SANDBOX) exec -- pulumi,pulumi)
POLICIES := --policy-pack policies --policy-pack-config policies/profiles/sandbox.json
STACK := sandbox
# Proxies, name service, the kernel's own tools; load generators; a browser for the tests of `sandbox view`.
PACKAGES := haproxy dnsmasq-base iproute2 util-linux iptables nftables conntrack curl wrk chromium chromium-driver

.DEFAULT_GOAL := help
.PHONY: help environment packages up example example-down destroy down verify check test soak measure measure-controller

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

# With the program while the state has a guard that is asked before it is deleted; without it once they are gone: an earlier
# destroy has come further then, and a program cannot declare what is on no cluster.
destroy: $(if $(filter sandbox,$(STACK)),environment)
	@guarded=$$($(PULUMI) stack export --stack $(STACK) | grep -q '"BeforeDelete"' && echo --run-program); \
	$(PULUMI) destroy --stack $(STACK) $(if $(filter sandbox,$(STACK)),--yes --skip-preview) $$guarded

down: environment
	@if $(SANDBOX) exec -- pulumi stack ls 2>/dev/null | grep -q '^$(STACK)'; then $(MAKE) --no-print-directory destroy; fi
	@$(SANDBOX) down

# From outside and read only: a second preview, the doctor, targets and ready pods, host names, the role's permissions.
verify: environment
	@$(if $(filter sandbox,$(STACK)),$(SANDBOX) exec --) $(BIN)/python -m eks_load_balancing.verify --stack $(STACK) \
	  --cluster "$$($(PULUMI) stack output clusterName --stack $(STACK))" $(ARGS)

check: environment
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright
	@PYTHONPATH=policies $(BIN)/lint-imports
	@$(BIN)/python policies/generate.py --check

test: check
	@$(BIN)/pytest

soak: environment
	@SOAK=1 $(BIN)/pytest -m soak $(ARGS)

measure: environment
	@$(BIN)/python -m benchmarks.sandbox
	@$(BIN)/python benchmarks/policies.py

measure-controller: environment
	@$(BIN)/python -m benchmarks.controller $(ARGS)
