"""Random transfers over one server that echoes: transfer.py TCPPORT UDPPORT SEED; prints how many bytes each way."""
import random, socket, sys, threading

TCP, UDP, SEED = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
dice = random.Random(SEED)
totals = {'tcp': [0, 0], 'udp': [0, 0]}
lock = threading.Lock()


def add(kind, sent, received):
    with lock:
        totals[kind][0] += sent
        totals[kind][1] += received


def stream(size, seed):
    data = random.Random(seed).randbytes(size)
    s = socket.create_connection(('127.0.0.1', TCP))
    threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
    answer = b''
    while part := s.recv(65536): answer += part
    assert answer == data
    add('tcp', len(data), len(answer))


def datagrams(sizes, connects):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(10)
    if connects: s.connect(('127.0.0.1', UDP))
    for size in sizes:
        data = bytes(size)
        s.send(data) if connects else s.sendto(data, ('127.0.0.1', UDP))
        answer, source = s.recvfrom(65536)
        assert answer == data and source == ('127.0.0.1', UDP)
        add('udp', len(data), len(answer))


work = [threading.Thread(target=stream, args=(dice.choice([0, 1, 1000, 100_000, 1_000_000]), dice.random())) for _ in range(6)]
work += [
    threading.Thread(target=datagrams, args=([dice.choice([0, 1, 1400, 9000]) for _ in range(10)], dice.random() < 0.5))
    for _ in range(4)
]
for thread in work: thread.start()
for thread in work: thread.join()
print(totals['tcp'][0], totals['tcp'][1], totals['udp'][0], totals['udp'][1])
