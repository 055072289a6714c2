#!/usr/bin/env python3
"""Runs Jobs of Kubernetes in containers of podman, in the place of the Job controller and of the kubelet.

It reads a JSON list of Jobs and runs one after the other. A suspended Job begins when the one before it is
complete, as if somebody resumed it then. Pods are evicted and killed when a file says that they are at work:
`--evict '1:**/outputs.2-of-4.jsonl:3'` evicts the first pod of index 1 as soon as that file of the claim has
three lines. Standard output is a JSON list of what happened to each Job. The exit code is 0 if all Jobs are
complete, 1 if not, and 2 for a manifest with anything that is not understood here.

Not here: the API server and its admission, several nodes, GPUs, a network.
"""

import argparse
import glob
import json
import math
import os
import re
import subprocess
import sys
import time


class NotUnderstood(Exception):
    """The manifest asks for what is not done here, so a result would say nothing about it."""


def known(where, mapping, names):
    """Refuses fields that are not understood."""
    for name in mapping:
        if name not in names.split():
            raise NotUnderstood(f"{where}.{name}")
    return mapping


def demand(where, value, *allowed):
    if value not in allowed:
        raise NotUnderstood(f"{where}: {value!r} instead of {' or '.join(map(repr, allowed))}")
    return value


def quantity(text):
    """`500m`, `8`, `64Gi` as a number."""
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()
    units = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    units |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    return float(number) * units[unit]


def expanded(text, variables):
    """Kubernetes replaces `$(NAME)` of a variable that it knows, and makes `$` of `$$`."""

    def replaced(found):
        return "$" if found[0] == "$$" else variables.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^()]*)\)", replaced, text)


class Job:
    """A Job, of which every field was understood."""

    def __init__(self, job, options):
        known("job", job, "apiVersion kind metadata spec")
        demand("apiVersion", job["apiVersion"], "batch/v1")
        demand("kind", job["kind"], "Job")
        self.name = known("metadata", job["metadata"], "name labels")["name"]
        spec = known(
            "spec",
            job["spec"],
            "completionMode completions parallelism backoffLimit backoffLimitPerIndex maxFailedIndexes"
            " podReplacementPolicy podFailurePolicy suspend ttlSecondsAfterFinished template",
        )
        mode = demand("completionMode", spec.get("completionMode", "NonIndexed"), "Indexed", "NonIndexed")
        if mode == "Indexed":
            self.indexes = list(range(spec["completions"]))
        else:
            demand("completions", spec.get("completions", 1), 1)
            self.indexes = [None]
        self.suspended = spec.get("suspend", False)
        self.parallelism = spec.get("parallelism", 1)
        self.limit_per_index = spec.get("backoffLimitPerIndex", math.inf)
        self.limit = spec.get("backoffLimit", math.inf if "backoffLimitPerIndex" in spec else 6)
        self.most_failed = spec.get("maxFailedIndexes", math.inf)
        if ("backoffLimitPerIndex" in spec or "maxFailedIndexes" in spec) and mode != "Indexed":
            raise NotUnderstood("a limit for each index of a Job that has none")
        self.waits_for_the_end = spec.get("podReplacementPolicy") == "Failed"
        policy = spec.get("podFailurePolicy", {"rules": []})
        self.rules = known("podFailurePolicy", policy, "rules")["rules"]
        template = known("template", spec["template"], "metadata spec")
        self.read_pod(template["spec"], options)
        for rule in self.rules:
            self.check_rule(rule)

    def check_rule(self, rule):
        known("rule", rule, "action onExitCodes onPodConditions")
        demand("action", rule["action"], "Ignore", "FailIndex", "FailJob", "Count")
        if rule["action"] == "FailIndex" and self.limit_per_index == math.inf:
            raise NotUnderstood("FailIndex without backoffLimitPerIndex")
        if ("onExitCodes" in rule) == ("onPodConditions" in rule):
            raise NotUnderstood("a rule has either onExitCodes or onPodConditions")
        for condition in rule.get("onPodConditions", []):
            known("onPodConditions", condition, "type status")
            demand("condition", condition["type"], "DisruptionTarget")
            demand("status", condition["status"], "True")
        if codes := rule.get("onExitCodes"):
            known("onExitCodes", codes, "containerName operator values")
            demand("containerName", codes.get("containerName", self.container), self.container)
            demand("operator", codes["operator"], "In", "NotIn")

    def read_pod(self, pod, options):
        known(
            "pod",
            pod,
            "restartPolicy terminationGracePeriodSeconds automountServiceAccountToken containers volumes"
            " securityContext",
        )
        demand("restartPolicy", pod["restartPolicy"], "Never")
        demand("automountServiceAccountToken", pod.get("automountServiceAccountToken", True), False)
        self.grace = pod.get("terminationGracePeriodSeconds", 30)
        [container] = pod["containers"]
        known(
            "container",
            container,
            "name image command args env envFrom workingDir resources volumeMounts securityContext",
        )
        self.container, self.image = container["name"], container["image"]
        self.variables = {}
        for source in container.get("envFrom", []):
            secret = known("envFrom", source, "secretRef")["secretRef"]
            name = known("secretRef", secret, "name")["name"]
            with open(options.secret[name], encoding="utf-8") as lines:
                self.variables |= dict(line.rstrip("\n").split("=", 1) for line in lines)
        for variable in container.get("env", []):
            known("env", variable, "name value")
            self.variables[variable["name"]] = expanded(variable["value"], self.variables)
        self.command, self.arguments = container["command"], container.get("args", [])
        self.options = []
        if "workingDir" in container:
            self.options += ["--workdir", container["workingDir"]]
        self.read_resources(container.get("resources", {}))
        self.read_volumes(pod.get("volumes", []), container.get("volumeMounts", []), options.claim)
        self.read_security(pod.get("securityContext", {}) | container.get("securityContext", {}))

    def read_resources(self, resources):
        known("resources", resources, "limits requests")
        limits = known("limits", resources.get("limits", {}), "cpu memory")
        requests = known("requests", resources.get("requests", {}), "cpu memory")
        if "memory" in limits:
            self.options += ["--memory", str(int(quantity(limits["memory"])))]
        if "cpu" in limits:
            self.options += ["--cpus", str(quantity(limits["cpu"]))]
        # A request of memory is for the scheduler only.
        if "cpu" in requests:
            self.options += ["--cpu-shares", str(max(2, int(1024 * quantity(requests["cpu"]))))]

    def read_volumes(self, volumes, mounts, claims):
        places = {}
        for volume in volumes:
            known("volume", volume, "name persistentVolumeClaim emptyDir")
            if "emptyDir" in volume:
                known("emptyDir", volume["emptyDir"], "")
                places[volume["name"]] = ""
            else:
                claim = known("claim", volume["persistentVolumeClaim"], "claimName")["claimName"]
                places[volume["name"]] = os.path.abspath(claims[claim]) + ":"
        for mount in mounts:
            known("mount", mount, "name mountPath")
            # A volume without a place on this machine is made for the pod and ends with it.
            self.options += ["--volume", places[mount["name"]] + mount["mountPath"]]

    def read_security(self, security):
        known(
            "securityContext",
            security,
            "runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation capabilities"
            " seccompProfile",
        )
        if security.get("runAsNonRoot") and not security.get("runAsUser"):
            raise NotUnderstood("runAsNonRoot without runAsUser")
        if "runAsUser" in security:
            self.options += ["--user", f"{security['runAsUser']}:{security.get('runAsGroup', 0)}"]
        if security.get("readOnlyRootFilesystem"):
            self.options += ["--read-only", "--read-only-tmpfs=false"]
        if not security.get("allowPrivilegeEscalation", True):
            self.options += ["--security-opt", "no-new-privileges"]
        capabilities = known("capabilities", security.get("capabilities", {}), "add drop")
        for change, names in capabilities.items():
            self.options += [f"--cap-{change}={name}" for name in names]
        profile = security.get("seccompProfile", {"type": "RuntimeDefault"})
        demand("seccompProfile", profile, {"type": "RuntimeDefault"})

    def decide(self, code, disrupted):
        """The action for a failed pod, and the number of the first rule that fits, counted from 1."""
        for number, rule in enumerate(self.rules, 1):
            if "onPodConditions" in rule:
                fits = disrupted
            else:
                codes = rule["onExitCodes"]
                fits = (code in codes["values"]) == (codes["operator"] == "In")
            if fits:
                return rule["action"], number
        return "Count", None


class Pod:
    """A pod of a Job, which has one container."""

    def __init__(self, job, index, attempt, logs):
        self.job, self.index, self.attempt = job, index, attempt
        self.disrupted, self.helper = None, None
        variables = dict(job.variables)
        host = job.name
        if index is not None:
            variables["JOB_COMPLETION_INDEX"] = str(index)
            host = f"{job.name}-{index}"
        self.name = f"{host}-{attempt}"
        self.log = os.path.join(logs, self.name + ".log")
        command = ["podman", "run", "--rm", "--pull", "never", "--name", self.name, "--hostname", host]
        command += job.options
        for name, value in variables.items():
            command += ["--env", f"{name}={value}"]
        entry = [expanded(word, variables) for word in job.command]
        command += ["--entrypoint", json.dumps(entry), job.image]
        command += [expanded(word, variables) for word in job.arguments]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.begun = time.monotonic()

    def disrupt(self, how):
        """Ends the pod as the kubelet does, with TERM and, after the grace, KILL; or kills it at once."""
        self.disrupted = how
        command = ["podman", "stop", "--time", str(self.job.grace), self.name]
        if how == "kill":
            command = ["podman", "kill", "--signal", "KILL", self.name]
        self.helper = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def exit_code(self):
        """None while it runs."""
        code = self.process.poll()
        if code == 125:
            with open(self.log, encoding="utf-8") as log:
                raise SystemExit(f"podman cannot run {self.name}: {log.read()}")
        if code is not None and self.helper:
            self.helper.wait()
        return code


def is_time(claims, pattern, lines):
    """Whether a file of a claim has so many lines."""
    for folder in claims.values():
        for path in glob.glob(os.path.join(folder, pattern), recursive=True):
            with open(path, "rb") as file:
                if file.read().count(b"\n") >= lines:
                    return True
    return False


class Controller:
    """Makes and replaces the pods of a Job until it is complete or has failed."""

    def __init__(self, job, disruptions, options):
        self.job, self.disruptions, self.options = job, disruptions, options
        # The indexes that wait for a pod, and when they may have it.
        self.waiting = {index: 0.0 for index in job.indexes}
        self.attempts = dict.fromkeys(job.indexes, 0)
        self.failures = dict.fromkeys(job.indexes, 0)
        self.failed, self.running, self.record = [], [], []

    def run(self):
        reason = None
        while (self.waiting or self.running) and not reason:
            self.start()
            for pod in list(self.running):
                code = pod.exit_code()
                if code is None:
                    self.disrupt(pod)
                else:
                    self.running.remove(pod)
                    reason = self.settle(pod, code) or reason
            time.sleep(0.05)
        for pod in self.running:
            pod.disrupt("end")
        for pod in self.running:
            pod.process.wait()
            self.note(pod, pod.exit_code(), "Terminated", None)
        reason = reason or ("FailedIndexes" if self.failed else None)
        condition = "Failed" if reason else "Complete"
        return {"job": self.job.name, "condition": condition, "reason": reason, "pods": self.record}

    def start(self):
        for index, begin in sorted(self.waiting.items()):
            if len(self.running) < self.job.parallelism and begin <= time.monotonic():
                del self.waiting[index]
                self.attempts[index] += 1
                self.running.append(Pod(self.job, index, self.attempts[index], self.options.logs))

    def disrupt(self, pod):
        for disruption in self.disruptions:
            how, index, pattern, lines = disruption
            if index == pod.index and not pod.disrupted and is_time(self.options.claim, pattern, lines):
                self.disruptions.remove(disruption)
                pod.disrupt(how)
                return

    def settle(self, pod, code):
        """What follows from the end of a pod. A text is the reason why the whole Job fails."""
        if code == 0:
            self.note(pod, code, "Succeeded", None)
            return None
        action, rule = self.job.decide(code, pod.disrupted == "evict")
        self.note(pod, code, action, rule)
        if action == "FailJob":
            return "PodFailurePolicy"
        if action == "Ignore":
            self.waiting[pod.index] = 0.0
            return None
        failures = self.failures[pod.index] = self.failures[pod.index] + 1
        if action == "FailIndex" or failures > self.job.limit_per_index:
            self.failed.append(pod.index)
        else:
            delay = min(self.options.delay * 2 ** (failures - 1), 360)
            self.waiting[pod.index] = time.monotonic() + delay
        if sum(self.failures.values()) > self.job.limit:
            return "BackoffLimitExceeded"
        if len(self.failed) > self.job.most_failed:
            return "MaxFailedIndexesExceeded"
        return None

    def note(self, pod, code, action, rule):
        seconds = round(time.monotonic() - pod.begun, 1)
        self.record.append(
            {
                "index": pod.index,
                "attempt": pod.attempt,
                "disrupted": pod.disrupted,
                "exit_code": code,
                "action": action,
                "rule": rule,
                "seconds": seconds,
                "log": pod.log,
            }
        )


def disruption(how):
    """Reads `INDEX:FILE:LINES`."""

    def read(text):
        index, pattern, lines = text.split(":")
        return how, int(index), pattern, int(lines)

    return read


def pair(text):
    return tuple(text.split("=", 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("jobs", help="JSON list of Jobs")
    parser.add_argument("--logs", required=True, help="folder for what the pods say")
    parser.add_argument("--claim", action="append", default=[], type=pair, metavar="NAME=FOLDER")
    parser.add_argument("--secret", action="append", default=[], type=pair, metavar="NAME=FILE")
    parser.add_argument("--evict", action="append", default=[], type=disruption("evict"))
    parser.add_argument("--kill", action="append", default=[], type=disruption("kill"))
    parser.add_argument("--delay", type=float, default=10, help="seconds before the second try; then doubled")
    options = parser.parse_args()
    options.claim, options.secret = dict(options.claim), dict(options.secret)
    os.makedirs(options.logs, exist_ok=True)
    with open(options.jobs, encoding="utf-8") as file:
        try:
            jobs = [Job(job, options) for job in json.load(file)]
        except NotUnderstood as error:
            parser.error(f"not understood: {error}")
        except KeyError as error:
            parser.error(f"missing: {error}")
    disruptions = options.evict + options.kill
    if disruptions and not jobs[0].waits_for_the_end:
        parser.error("not understood: a disruption where podReplacementPolicy is not Failed")
    records = []
    for job in jobs:
        if job.suspended and records and records[-1]["condition"] != "Complete":
            break
        records.append(Controller(job, disruptions, options).run())
    print(json.dumps(records, indent=1))
    if disruptions:
        sys.exit(f"the pods ended before this could happen: {disruptions}")
    complete = [record["job"] for record in records if record["condition"] == "Complete"]
    sys.exit(0 if len(complete) == len(jobs) else 1)


if __name__ == "__main__":
    main()
