#!/usr/bin/env python3
"""Makes a sample of small changes (mutants) of the code, and lists those that no test notices. Called by Scripts/mutants.sh.

usage: mutants.py [MODULE...] [--count 100] [--seed 1] [--budget 40] [--list]

  MODULE   the modules to change; without one: all of them, each by its share of the lines, and by ten mutants at least
  --count  how many mutants; the kinds are equally frequent as far as there are places for them
  --seed   another seed, other mutants
  --budget the seconds of tests (as they take without a change) that a mutant may cost
  --list   prints the mutants, and builds nothing

All mutants are in one build of a copy of the project: each asks `weirMutant(N)`, which is true where the variable WEIR_MUTANT has its
number. First each suite runs once without a change, and writes which mutants it reaches; then each mutant runs with the suites that
reach it, those nearest to it by name first, then the quick ones, up to the first that fails, crashes or takes too long.

Ends with 1 if a module has less than 0.90 of its mutants noticed.
"""
import argparse, collections, concurrent.futures, os, random, re, resource, shutil, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
from compiling import arguments

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, '.build/mutants')
COPY = os.path.join(WORK, 'weir')
MODULES = [
    'WeirWire', 'WeirDissect', 'WeirEngine', 'WeirSinks', 'WeirAnalysis', 'WeirRelay', 'WeirAdmin', 'WeirCapture', 'weir',
]
WANTED = 0.90

# Each mutated operator is an operator of its own, a symbol that nothing else uses: so that what is around it stays as it is written.
SYMBOLS = [chr(c) for low, high in [(0x2200, 0x23FF), (0x2500, 0x2775), (0x2794, 0x2BFF)] for c in range(low, high)]

# Operator: its precedence, its operands, its result, and what it becomes.
COMPARISON = ('ComparisonPrecedence', 'T: Comparable', 'a: T, b: T', 'Bool')
EQUALITY = ('ComparisonPrecedence', 'T: Equatable', 'a: T, b: T', 'Bool')
SUM = ('AdditionPrecedence', 'T: AdditiveArithmetic', 'a: T, b: T', 'T')
CHANGE = ('AssignmentPrecedence', 'T: AdditiveArithmetic', 'a: inout T, b: T', 'Void')
OPERATORS = {
    '<': (COMPARISON, ['<=', '>']), '<=': (COMPARISON, ['<', '>']), '>': (COMPARISON, ['>=', '<']), '>=': (COMPARISON, ['>', '<']),
    '==': (EQUALITY, ['!=']), '!=': (EQUALITY, ['==']), '+': (SUM, ['-']), '-': (SUM, ['+']), '+=': (CHANGE, ['-=']),
    '-=': (CHANGE, ['+=']),
    '&&': (('LogicalConjunctionPrecedence', '', 'a: Bool, b: @autoclosure () -> Bool', 'Bool'), ['||']),
    '||': (('LogicalDisjunctionPrecedence', '', 'a: Bool, b: @autoclosure () -> Bool', 'Bool'), ['&&']),
}
Mutant = collections.namedtuple('Mutant', 'module path line kind what old new operator')


def places(module, path, lines):
    """Finds what can be changed in a file: a list of mutants whose text of the line asks `weirMutant(@)`."""
    found = []
    isInText = False
    for at, line in enumerate(lines):
        text = line.strip()
        # A line of a text of several lines is no code.
        wasInText, isInText = isInText, isInText != (line.count('"""') % 2 == 1)
        if wasInText: continue
        if text.startswith(('//', '/*', '*', '@', '#', 'case ', 'default:', 'import ')) or '//' in text or '"' in text: continue
        if re.match(r'(precondition|assert|extension|infix|prefix|typealias|protocol)\b', text) or '#if' in text: continue
        indent = line[: len(line) - len(line.lstrip())]

        def add(kind, what, new, operator=None):
            found.append(Mutant(module, path, at, kind, what, line, new, operator))

        if not re.match(r'(public |package |private |fileprivate |static |mutating )*(func|init|subscript)\b', text):
            for match in re.finditer(r' (<=?|>=?|==|!=|\+=?|-=?|&&|\|\|) ', line):
                old = match[1]
                if re.match(r'\s*nil\b', line[match.end():]) or re.search(r'\bnil\s*$', line[:match.start()]): continue
                for new in OPERATORS[old][1]:
                    kind = {'+': 'sign', '-': 'sign', '+=': 'sign', '-=': 'sign', '&&': 'logic', '||': 'logic'}.get(old, 'comparison')
                    add(kind, f'{old} becomes {new}', line[: match.start()] + ' @ ' + line[match.end():], (old, new))
            # What memory is reserved cannot be noticed.
            for match in [] if re.search(r'(capacity: |reserveCapacity\()', line) else re.finditer(r'(?<![\w.$])(\d+)(?![\w.])', line):
                number = int(match[1])
                add('off by one', f'{number} becomes {number + 1}', f'{line[:match.start()]}(weirMutant(@) ? {number + 1} : {number}){line[match.end():]}')
        for match in re.finditer(r'(?<=[ (\[])\.(upstream|downstream|client|server)\b(?!\()', line):
            if 'case ' in line: continue
            other = {'upstream': 'downstream', 'downstream': 'upstream', 'client': 'server', 'server': 'client'}[match[1]]
            add('direction', f'.{match[1]} becomes .{other}', f'{line[:match.start()]}(weirMutant(@) ? .{other} : .{match[1]}){line[match.end():]}')
        if match := re.match(r'((?:\} else )?if|guard) ([^,{}]+?) (else \{|\{)', text):
            # What remains of a guard's line, as `return nil }`, stays.
            if not re.search(r'\b(let|var|case|is)\b|#', match[2]):
                add('condition', f'not ({match[2]})', f'{indent}{match[1]} weirMutant(@) != ({match[2]}) {match[3]}{text[match.end():]}')
        if match := re.fullmatch(r'return (true|false)', text):
            add('return', f'returns not {match[1]}', f'{indent}return weirMutant(@) != {match[1]}')
        if re.match(r'(public |package |private |fileprivate |static |mutating )*func\b', text) and text.endswith('{') and '->' not in text:
            add('early return', 'returns at once', f'{line}\n{indent}    if weirMutant(@) {{ return }}')
        before = next((l.strip() for l in reversed(lines[:at]) if l.strip() and not l.strip().startswith('//')), '')
        after = lines[at + 1] if at + 1 < len(lines) else ''
        deeper = len(after) - len(after.lstrip()) > len(indent) if after.strip() else False
        whole = all(text.count(a) == text.count(b) for a, b in ['()', '[]', '{}'])
        if whole and not deeper and re.search(r'[{})\w\]]$', before) and not re.match(r'(\.|\}|&&|\|\||\?|:|[-+] )', after.strip()):
            if re.fullmatch(r'(try )?[a-z_][\w.?\[\]]*\(.*\)', text) or re.match(r'[a-z_][\w.?\[\]]* (=|\+=|-=|\|=|&=) .+', text):
                if not re.match(r'(return|let|var|if|guard|for|while|switch|super|throw|init|self\.init|self\.\w+ =)', text):
                    add('dropped statement', f'without {text}', f'{indent}if !weirMutant(@) {{ {text} }}')
    return found


def sample(modules, count, seed):
    """Chooses the mutants: a share for each module, and in it each kind in turn; one for each line at most."""
    numbers, chosen = random.Random(seed), []
    sources = {}
    for module in modules:
        base = os.path.join(ROOT, 'Sources', module)
        names = sorted(os.path.join(f, n) for f, _, ns in os.walk(base) for n in ns if n.endswith('.swift'))
        sources[module] = {os.path.relpath(name, ROOT): open(name).read().split('\n') for name in names}
    sizes = {module: sum(map(len, files.values())) for module, files in sources.items()}
    for module in modules:
        share = max(min(10, count), round(count * sizes[module] / sum(sizes.values())))
        kinds = collections.defaultdict(list)
        for path, lines in sources[module].items():
            for mutant in places(module, path, lines): kinds[mutant.kind].append(mutant)
        for kind in kinds.values(): numbers.shuffle(kind)
        taken, lines = 0, set()
        while taken < share and any(kinds.values()):
            for kind in sorted(kinds):
                while kinds[kind] and taken < share:
                    mutant = kinds[kind].pop()
                    if (mutant.path, mutant.line) in lines: continue
                    lines.add((mutant.path, mutant.line))
                    chosen.append(mutant)
                    taken += 1
                    break
    return chosen


def support(module, mutants):
    """The file of a module that has the switch and the operators."""
    text = ['#if canImport(Glibc)', '    import Glibc', '#endif', '''
@usableFromInline nonisolated(unsafe) let weirMutantChosen: Int = getenv("WEIR_MUTANT").flatMap { Int(String(cString: $0)) } ?? -1
@usableFromInline nonisolated(unsafe) let weirMutantHits: Int32 = getenv("WEIR_MUTANT_HITS").map { open($0, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644) } ?? -1
nonisolated(unsafe) let weirMutantSeen: UnsafeMutablePointer<Bool> = {
    let seen = UnsafeMutablePointer<Bool>.allocate(capacity: 10000)
    seen.initialize(repeating: false, count: 10000)
    return seen
}()
@usableFromInline func weirMutant(_ number: Int) -> Bool {
    if weirMutantHits >= 0 { weirMutantNote(number) }
    return weirMutantChosen == number
}
func weirMutantNote(_ number: Int) {
    guard !weirMutantSeen[number] else { return }
    weirMutantSeen[number] = true
    let line = Array("\\(number)\\n".utf8)
    _ = line.withUnsafeBytes { write(weirMutantHits, $0.baseAddress, $0.count) }
}''']
    for number, mutant in mutants:
        if not mutant.operator or mutant.module != module: continue
        (precedence, generic, operands, result), (old, new), symbol = OPERATORS[mutant.operator[0]][0], mutant.operator, SYMBOLS[number]
        b = 'b()' if 'autoclosure' in operands else 'b'
        generic = f'<{generic}>' if generic else ''
        text.append(f'infix operator {symbol}: {precedence}')
        text.append(f'@usableFromInline func {symbol}{generic}({operands}) -> {result} {{ '
                    f'if weirMutant({number}) {{ return a {new} {b} }}; return a {old} {b} }}')
    return '\n'.join(text) + '\n'


def write_copy(mutants):
    """Writes the copy of the project with these mutants; a file that stays the same is not written again."""
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], stdout=subprocess.PIPE, cwd=ROOT).stdout.decode()
    paths = [path for path in listed.split('\n') if path and os.path.exists(os.path.join(ROOT, path))]
    wanted = {path: open(os.path.join(ROOT, path), 'rb').read() for path in paths}
    # A change may make something needless, which is a warning.
    wanted['Package.swift'] = wanted['Package.swift'].replace(b'    .treatAllWarnings(as: .error),\n', b'')
    by_file = collections.defaultdict(list)
    for number, mutant in mutants: by_file[mutant.path].append((number, mutant))
    for path, group in by_file.items():
        lines = wanted[path].decode().split('\n')
        for number, mutant in group:
            mark = SYMBOLS[number] if mutant.operator else str(number)
            lines[mutant.line] = mutant.new.replace('@', mark, 1) if mutant.operator else mutant.new.replace('weirMutant(@)', f'weirMutant({number})')
        wanted[path] = '\n'.join(lines).encode()
    for module in {m.module for _, m in mutants}: wanted[f'Sources/{module}/WeirMutants.swift'] = support(module, mutants).encode()
    for base, _, names in os.walk(COPY):
        if '.build' in base.split(os.sep)[len(COPY.split(os.sep)):]: continue
        for name in names:
            path = os.path.relpath(os.path.join(base, name), COPY)
            if path.split(os.sep)[0] in ('Sources', 'Tests') and path not in wanted: os.remove(os.path.join(COPY, path))
    for path, data in wanted.items():
        target = os.path.join(COPY, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target) or open(target, 'rb').read() != data:
            open(target, 'wb').write(data)
            if os.path.exists(os.path.join(ROOT, path)): shutil.copymode(os.path.join(ROOT, path), target)
    link, real = os.path.join(WORK, 'shared'), os.path.realpath(os.path.join(ROOT, '../shared'))
    if os.path.isdir(real) and not os.path.lexists(link): os.symlink(real, link)


def build(mutants):
    """Builds the copy; mutants that do not compile are taken out. Gives those that are left."""
    environment = {name: os.environ[name] for name in ['HOME', 'PATH', 'TMPDIR', 'http_proxy', 'https_proxy'] if os.environ.get(name)}
    environment.update(WEIR_TESTING='1', SWIFT_DETERMINISTIC_HASHING='1')
    log = os.path.join(WORK, 'build.log')
    while True:
        write_copy(mutants)
        with open(log, 'wb') as output:
            command = ['swift', 'build', '--disable-index-store', '-c', 'release', '--build-tests']
            ended = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, cwd=COPY, env=environment)
        if ended.returncode == 0: return mutants
        wrong = guilty(mutants, open(log, errors='replace').read())
        if not wrong: sys.exit(f'mutants: the build fails for another reason: {log}')
        print(f'{len(wrong)} do not compile', flush=True)
        mutants = [x for x in mutants if x[0] not in wrong]
        # The build ends at the first module with an error; the others are found here, all at once.
        while True:
            write_copy(mutants)
            wrong = guilty(mutants, type_errors(environment))
            if not wrong: break
            print(f'{len(wrong)} more do not compile', flush=True)
            mutants = [x for x in mutants if x[0] not in wrong]


def guilty(mutants, log):
    """The numbers of the mutants that a compiler's errors are about."""
    wrong = set()
    for path, line, error in re.findall(r'weir/(Sources/\S+?\.swift):(\d+):\d+: error: (.*)', log):
        # The mutant of that line, or the last one above it: what it leaves out may be missed later. What a function must do before it
        # ends is missed at its beginning, and what is wrong in a closure is sometimes told of the whole.
        moved, found = 0, None
        isLater = error.startswith(('missing reinitialization', 'failed to produce diagnostic'))
        for number, mutant in sorted((x for x in mutants if x[1].path == path), key=lambda x: x[1].line):
            isAbove = mutant.line + moved < int(line)
            if isAbove != isLater: found = number
            if isLater and not isAbove: break
            # A mutant of two lines moves what is below it.
            moved += mutant.new.count('\n')
        if found is not None: wrong.add(found)
    return wrong


def type_errors(environment):
    """Checks the types of all modules without compiling them, each against the others' interfaces. Gives the compiler's output."""
    interfaces, output = os.path.join(WORK, 'interfaces'), b''
    os.makedirs(interfaces, exist_ok=True)
    for module in MODULES:
        command = arguments(COPY, module)
        command[1:1] = ['-I', interfaces]
        interface = ['-emit-module', '-emit-module-path', os.path.join(interfaces, f'{module}.swiftmodule'),
                     '-Xfrontend', '-experimental-skip-non-inlinable-function-bodies']
        for step in [interface, ['-typecheck']]:
            output += subprocess.run(command + step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=COPY, env=environment).stdout
    return output.decode(errors='replace')


def suites(bundle):
    listed = subprocess.run([bundle, '--testing-library', 'swift-testing', '--list-tests'], stdout=subprocess.PIPE).stdout.decode()
    return sorted({line.rsplit('/', 1)[0] for line in listed.split('\n') if '/' in line})


def bound():
    """A loop without an end takes no more than this of the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 30, 4 << 30))


def run_suite(bundle, suite, limit, **variables):
    """Runs a suite; says whether all passed and what it took, in seconds."""
    start = time.monotonic()
    command = [bundle, '--testing-library', 'swift-testing', '--no-parallel', '--filter', '^' + re.escape(suite) + '/']
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                               env={**os.environ, **variables}, start_new_session=True, preexec_fn=bound)
    try:
        passed = process.wait(limit) == 0
    except subprocess.TimeoutExpired:
        passed = False
        os.killpg(process.pid, 9)
        process.wait()
    return passed, time.monotonic() - start


def survey(bundle):
    """Runs each suite without a change: how long it takes, and the mutants that it reaches. Without those that fail."""
    def look(suite):
        # A program whose standard output is closed may write into the file as well.
        with tempfile.NamedTemporaryFile() as hits:
            passed, seconds = run_suite(bundle, suite, 300, WEIR_MUTANT_HITS=hits.name)
            return suite, passed, seconds, {int(line) for line in open(hits.name, errors='replace').read().split() if line.isdigit()}
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool: seen = list(pool.map(look, suites(bundle)))
    for suite, passed, _, _ in seen:
        if not passed: print(f'{suite} fails without a change, and is left out', flush=True)
    return [(suite, seconds, reached) for suite, passed, seconds, reached in seen if passed]


def near(suite, mutant):
    """How near a suite is to a mutant by its name: 0 the same name, 1 the same folder's or a part of the name, 2 the rest."""
    stem = re.split(r'[+.]', os.path.basename(mutant.path))[0]
    name = suite.split('.')[-1].removesuffix('Tests').replace('_', '+')
    if name.split('+')[0] == stem: return 0
    return 1 if name in stem or stem in name else 2


def judge(bundle, number, mutant, seen, budget):
    """Runs the suites that reach a mutant until one fails. Gives that one's name, nil if none does, and whether any reaches it."""
    reaching = [(near(suite, mutant), seconds, suite) for suite, seconds, reached in seen if number in reached]
    spent = 0
    for _, seconds, suite in sorted(reaching):
        if spent and spent + seconds > budget: break
        spent += seconds
        if not run_suite(bundle, suite, seconds * 4 + 15, WEIR_MUTANT=str(number))[0]: return suite, len(reaching)
    return None, len(reaching)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split('usage: ')[1].split('\n')[0])
    parser.add_argument('modules', nargs='*', choices=[[], *MODULES], default=[])
    parser.add_argument('--count', type=int, default=100)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--budget', type=float, default=40)
    parser.add_argument('--list', action='store_true')
    options = parser.parse_args()
    mutants = list(enumerate(sample(options.modules or MODULES, options.count, options.seed)))
    if options.list:
        for number, m in mutants: print(f'{number:4} {m.path}:{m.line + 1} {m.kind}: {m.what}')
        return
    os.makedirs(WORK, exist_ok=True)
    start = time.monotonic()
    mutants = build(mutants)
    print(f'{len(mutants)} mutants built, {time.monotonic() - start:.0f} s', flush=True)
    bundle = os.path.join(COPY, '.build/release/weirPackageTests.xctest')
    seen = survey(bundle)
    print(f'{len(seen)} suites surveyed, {time.monotonic() - start:.0f} s', flush=True)
    counts = collections.defaultdict(lambda: [0, 0])
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, open(os.path.join(WORK, 'table.tsv'), 'w') as table:
        jobs = {pool.submit(judge, bundle, number, m, seen, options.budget): (number, m) for number, m in mutants}
        for job in concurrent.futures.as_completed(jobs):
            (number, m), (suite, reaching) = jobs[job], job.result()
            counts[m.module][0] += suite is not None
            counts[m.module][1] += 1
            line = [number, m.module, f'{m.path}:{m.line + 1}', m.kind, m.what, suite or 'survived', reaching]
            print(*line, sep='\t', file=table, flush=True)
            if not suite: print(f'survived: {number} {m.path}:{m.line + 1} {m.kind}: {m.what} ({reaching} suites reach it)', flush=True)
    for module, (noticed, all_) in sorted(counts.items()): print(f'{module}: {noticed} of {all_} noticed, {noticed / all_:.2f}')
    print(f'seed {options.seed}, {time.monotonic() - start:.0f} s')
    sys.exit(any(noticed / all_ < WANTED for noticed, all_ in counts.values()))


if __name__ == '__main__': main()
