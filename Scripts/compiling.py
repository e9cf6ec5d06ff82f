"""The compiler's commands of a build, for scripts that check types without compiling."""
import json, os, re

# What makes object files, and other files than the interface, with the number of words that follow each.
MAKING = {
    '-emit-module-path': 1, '-output-file-map': 1, '-emit-objc-header-path': 1, '-emit-dependencies': 0, '-emit-module': 0,
    '-emit-objc-header': 0, '-c': 0, '-parseable-output': 0, '-serialize-diagnostics': 0,
}


def arguments(project, module):
    """The command that compiles a module of a project that was built with -c release, without what makes files."""
    manifest = open(os.path.join(project, '.build/release.yaml')).read()
    entry = re.search(rf'\n  "C\.{module}-[^\n]*module":\n(?:    .*\n)*?    args: (\[.*\])', manifest)
    words, left = json.loads(entry[1]), []
    while words:
        word = words.pop(0)
        if word in MAKING: del words[: MAKING[word]]
        else: left.append(word)
    return left
