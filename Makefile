# The stack by short names. `make help` lists them; docs/stack.md tells what each does.
#   LB=nginx         nginx as the balancer instead of HAProxy
#   RPS, SECONDS_OF_LOAD   of load-test and autoscale-demo

SHELL := /bin/bash
.DEFAULT_GOAL := help

LB ?= haproxy
RPS ?= 100
SECONDS_OF_LOAD ?= 20
TLS_CERTIFICATE ?= $(shell sed -n 's/^TLS_CERTIFICATE=//p' .env 2>/dev/null)

extra := $(if $(filter nginx,$(LB)),-f compose.nginx.yaml) $(if $(strip $(TLS_CERTIFICATE)),-f compose.tls.yaml)
DEV   := docker compose -f compose.yaml -f compose.override.yaml $(if $(filter nginx,$(LB)),-f compose.nginx.yaml)
PROD  := docker compose -f compose.yaml -f compose.prod.yaml $(extra)
SCALE := docker compose -f compose.yaml -f compose.prod.yaml -f compose.scale.yaml $(extra)
# Up and healthy, or an end with an error.
UP    := up --detach --wait --wait-timeout 300

export LB

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- life -----------------------------------------------------------------------------------------------------------------------

.PHONY: up prod down clean ps logs
up: check ## development: everything on 127.0.0.1, the application from its sources
	$(DEV) $(UP) --build

prod: secrets check-prod ## production: the balancer's port only, limits, secrets
	$(PROD) $(UP)

down: ## stop and remove every container; data stays
	$(DEV) --profile '*' down --remove-orphans

clean: ## the same, and remove the data
	$(DEV) --profile '*' down --remove-orphans --volumes

ps: ## what runs
	@$(DEV) --profile '*' ps --all

logs: ## what they say
	$(DEV) --profile '*' logs --follow --tail 100

# --- images, secrets, checks ----------------------------------------------------------------------------------------------------

.PHONY: build secrets check check-prod
build: ## build both images
	$(PROD) build

secrets: ## make the secrets of production that are missing, at random
	@deploy/scripts/make-secrets.sh "$${SECRETS_DIR:-secrets}"

check: ## what would keep development from starting
	@deploy/scripts/check.sh development

check-prod: ## what would keep production from starting
	@deploy/scripts/check.sh production

# --- scaling --------------------------------------------------------------------------------------------------------------------

.PHONY: scale-test scale-up scale-down scale-status
scale-test: secrets check-prod ## production with three instances of the application
	API_REPLICAS=3 $(SCALE) $(UP)

scale-up: ## five instances, while requests flow
	@deploy/scripts/scale.sh 5

scale-down: ## one instance, while requests flow
	@deploy/scripts/scale.sh 1

scale-status: ## the instances, and what the balancer thinks of them
	@deploy/scripts/scale-status.sh

.PHONY: roll roll-nodes load-test autoscale-demo
roll: ## replace every instance of the application by the image there is now, without a failed request
	@deploy/scripts/roll.sh

roll-nodes: ## the same for the three nodes, one after the other
	@deploy/scripts/roll-nodes.sh

load-test: ## RPS requests a second for SECONDS_OF_LOAD through the balancer
	@deploy/scripts/load-test.sh $(RPS) $(SECONDS_OF_LOAD)

autoscale-demo: ## 1, 3, 5, 2, 1 instances, with load at each step
	@deploy/scripts/autoscale-demo.sh $(RPS)

# --- data -----------------------------------------------------------------------------------------------------------------------

.PHONY: backup restore
backup: ## PostgreSQL into backups/, one file with a date
	@deploy/scripts/backup.sh

restore: ## FILE=backups/... back into PostgreSQL
	@deploy/scripts/restore.sh "$(FILE)"
