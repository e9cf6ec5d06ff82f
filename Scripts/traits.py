#!/usr/bin/env python3
"""Checks that the project compiles without each of its traits, and without all: Scripts/traits.py

It checks types alone, against a release build with all traits, and takes some seconds.
"""
import os, subprocess, sys

sys.dont_write_bytecode = True
from compiling import arguments

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The modules in which code depends on a trait.
TRAITS = {'Admin': ['weir'], 'LiveCapture': ['WeirCapture', 'weir'], 'Gzip': ['WeirCapture'], 'Scenarios': ['weir'], 'TLS': ['weir']}


def main():
    failed = False
    every = sorted({module for modules in TRAITS.values() for module in modules})
    for name, traits, modules in [(f'trait {t}', [t], m) for t, m in TRAITS.items()] + [('traits', list(TRAITS), every)]:
        for module in modules:
            command = [word for word in arguments(ROOT, module) if word not in [f'-D{trait}' for trait in traits]]
            ended = subprocess.run(command + ['-typecheck'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
            if ended.returncode == 0: continue
            failed = True
            print(f'{module} does not compile without the {name}:\n{ended.stdout.decode(errors="replace")}')
    sys.exit(failed)


if __name__ == '__main__': main()
