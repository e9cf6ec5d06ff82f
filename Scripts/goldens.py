#!/usr/bin/env python3
"""Makes Tests/WeirDissectTests/Reassembly/followed.tsv: what tshark puts together of each TCP stream of the corpus.

usage: Scripts/goldens.py [--check]

With --check it writes nothing, and ends with 1 if the file would become another. The captures are those of WEIR_CORPUS, or of
../shared/corpus. A line is a stream: the capture, the stream's number, and for each end its address, how many bytes it sent and the
first 16 hex digits of their SHA-256.
"""
import concurrent.futures, hashlib, os, re, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GOLDEN = os.path.join(ROOT, 'Tests/WeirDissectTests/Reassembly/followed.tsv')
CORPUS = os.environ.get('WEIR_CORPUS') or os.path.join(ROOT, '../shared/corpus')


def tshark(*arguments):
    """What tshark prints; it may end with an error, at damage."""
    return subprocess.run(['tshark', '-n', *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode('latin-1')


def streams(name):
    """The lines of one capture."""
    path = os.path.join(CORPUS, name)
    numbers = [int(n) for n in re.findall(r'\d+', tshark('-r', path, '-Y', 'tcp', '-T', 'fields', '-e', 'tcp.stream'))]
    if not numbers: return []
    follow = [word for n in range(max(numbers) + 1) for word in ('-z', f'follow,tcp,raw,{n}')]
    number, ends, lines = -1, [], []

    def close():
        # A stream without a packet of its own has no ends.
        if len(ends) == 2 and ends[0][0] != ':0' and (ends[0][1] or ends[1][1]):
            columns = [f'{end}\t{len(sent)}\t{hashlib.sha256(sent).hexdigest()[:16]}' for end, sent in ends]
            lines.append('\t'.join([name, str(number), *columns]))

    for line in tshark('-r', path, '-q', *follow).split('\n'):
        if line.startswith('Filter: '):
            close()
            number, ends = int(line.rsplit(' ', 1)[1]), []
        elif line.startswith('Node '):
            ends.append([line.split(': ', 1)[1], b''])
        elif len(ends) == 2 and re.fullmatch(r'\t?[0-9a-f]+', line):
            ends[1 if line[0] == '\t' else 0][1] += bytes.fromhex(line.strip())
    close()
    return lines


def main():
    names = sorted(os.path.relpath(os.path.join(folder, file), CORPUS) for folder, _, files in os.walk(CORPUS) for file in files
                   if file.endswith(('.pcap', '.pcapng', '.cap')))
    if not names: sys.exit(f'goldens: no captures in {CORPUS}')
    version = subprocess.run(['tshark', '--version'], capture_output=True, text=True).stdout.split('\n')[0].split(' (Git')[0]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        text = f'# {version}\n' + ''.join(line + '\n' for lines in pool.map(streams, names) for line in lines)
    if '--check' not in sys.argv:
        with open(GOLDEN, 'w') as file: file.write(text)
        return print(f'goldens: {len(text.splitlines()) - 1} streams of {len(names)} captures')
    with open(GOLDEN) as file: old = file.read()
    if old != text:
        changed = sorted(set(old.splitlines()) ^ set(text.splitlines()))
        sys.exit(f'goldens: {len(changed)} lines of followed.tsv differ, the first is: {changed[0]}')
    print('goldens: followed.tsv is what tshark says')


main()
