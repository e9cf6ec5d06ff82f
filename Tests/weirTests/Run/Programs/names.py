"""A DNS server, and programs that ask it: names.py serve | ask HOST PORT NAME... | reach HOST PORT NAME TCPPORT.

The server prints its port, gives every name the address 192.0.2.1, and ends with its input. A name that begins with `no.` does
not exist. What asks prints each answer that it reads, in hex.
"""
import os, socket, struct, sys, threading

TYPES = {'A': 1, 'AAAA': 28, 'HTTPS': 65}


def question(name, kind):
    labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.'))
    return labels + b'\0' + struct.pack('>HH', kind, 1)


def query(name, kind):
    option = b'\0' + struct.pack('>HHIH', 41, 1232, 0, 0)
    return struct.pack('>HHHHHH', 0x1234, 0x100, 1, 0, 0, 1) + question(name, kind) + option


def answer(asked):
    end = asked.index(b'\0', 12) + 5
    kind, = struct.unpack('>H', asked[end - 4:end - 2])
    exists = asked[12:15] != b'\x02no'
    record = b'\xc0\x0c' + struct.pack('>HHIH', kind, 1, 3600, 4) + socket.inet_aton('192.0.2.1')
    given = exists and kind == 1
    head = struct.pack('>HHHHHH', *struct.unpack('>H', asked[:2]), 0x8180 | (0 if exists else 3), 1, given, 0, 1)
    return head + asked[12:end] + (record if given else b'') + asked[end:]


def serve():
    while True:
        udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
        udp.bind(('127.0.0.1', 0))
        try:
            tcp.bind(udp.getsockname())
            break
        except OSError:
            # Another program has that port of TCP.
            continue
    tcp.listen()

    def datagrams():
        while True:
            asked, client = udp.recvfrom(4096)
            udp.sendto(answer(asked), client)

    def streams():
        while True:
            client, _ = tcp.accept()
            with client, client.makefile('rb') as file:
                while length := file.read(2):
                    reply = answer(file.read(*struct.unpack('>H', length)))
                    client.sendall(struct.pack('>H', len(reply)) + reply)

    for body in (datagrams, streams):
        threading.Thread(target=body, daemon=True).start()
    print(udp.getsockname()[1], flush=True)
    sys.stdin.read()
    os._exit(0)


def ask(server, name, kind, way):
    if way == 'stream':
        with socket.create_connection(server) as s, s.makefile('rb') as file:
            asked = query(name, kind)
            s.sendall(struct.pack('>H', len(asked)) + asked)
            return file.read(*struct.unpack('>H', file.read(2)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        if way == 'connected':
            s.connect(server)
            s.send(query(name, kind))
            return s.recv(4096)
        s.sendto(query(name, kind), server)
        got, source = s.recvfrom(4096)
        assert source == server, source
        return got


if sys.argv[1] == 'serve':
    serve()
server = (sys.argv[2], int(sys.argv[3]))
if sys.argv[1] == 'ask':
    for name in sys.argv[4:]:
        for kind in TYPES.values():
            for way in ('connected', 'unconnected', 'stream'):
                print(name, kind, way, ask(server, name, kind, way).hex())
else:
    found = ask(server, sys.argv[4], 1, 'connected')
    address = socket.inet_ntoa(found[-15:-11])
    with socket.create_connection((address, int(sys.argv[5]))) as s:
        s.sendall(b'hello')
        print(address, s.recv(9).decode())
