"""A client of TLS whose ClientHello arrives in odd ways: hellos.py PORT CA; prints a line for each connection.

Each line has the hello's number of bytes, the version, the protocol, and the first line of the answer to a request. The transcript of TLS is that of messages: how
they are cut into records is the sender's choice. Source: RFC 8446 section 5.1.
"""
import socket, ssl, sys, threading

PORT, CA = int(sys.argv[1]), sys.argv[2]


def records(data, size):
    """Cuts the one handshake record of a ClientHello into records of so many bytes."""
    out = b''
    for start in range(5, len(data), size):
        piece = data[start:start + size]
        out += data[:3] + len(piece).to_bytes(2, 'big') + piece
    return out


def trusting():
    context = ssl.create_default_context(cafile=CA)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def again(version):
    """Connects twice, and tries to resume the first connection's session."""
    context, session = trusting(), None
    context.minimum_version = context.maximum_version = version
    for _ in range(2):
        with socket.create_connection(('127.0.0.1', PORT)) as connection, \
                context.wrap_socket(connection, server_hostname='localhost', session=session) as tls:
            tls.sendall(b'GET / HTTP/1.0\r\n\r\n')
            answer = tls.recv(1000)
            session = tls.session
            name = f"{'resumed' if tls.session_reused else 'new'}-{tls.version()}"
            print(name, 0, tls.version(), None, answer.split(b'\r\n')[0].decode(), flush=True)


def ask(name, padding, record, piece):
    """Makes a hello longer by so many bytes of protocols that nobody knows, and sends it in records and pieces of these sizes."""
    context = trusting()
    if padding: context.set_alpn_protocols(['http/1.1'] + [f'{n:0>200}' for n in range(padding // 201)])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname='localhost')
    connection = socket.create_connection(('127.0.0.1', PORT))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(20)
    size = 0

    def work(step):
        nonlocal size
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                result = None
            data = outgoing.read()
            if data and not size:
                size = len(data) - 5
                if record: data = records(data, record)
                for start in range(0, len(data), piece or len(data)): connection.sendall(data[start:start + (piece or len(data))])
            elif data:
                connection.sendall(data)
            if result is not None: return result
            part = connection.recv(65536)
            if part: incoming.write(part)
            else: incoming.write_eof()

    work(lambda: tls.do_handshake() or True)
    work(lambda: tls.write(b'GET / HTTP/1.0\r\n\r\n'))
    answer = work(lambda: tls.read(1000) or b'-')
    print(name, size, tls.version(), tls.selected_alpn_protocol(), answer.split(b'\r\n')[0].decode(), flush=True)


WAYS = [
    ('whole', 0, 0, 0), ('1600', 1500, 0, 0), ('1600-pieces', 1500, 0, 700), ('records-100', 0, 100, 0),
    ('1600-records-100-bytes', 1500, 100, 1), ('16000-records', 15700, 1000, 0),
]
threads = [threading.Thread(target=ask, args=way) for way in WAYS]
threads += [threading.Thread(target=again, args=[version]) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
