"""Small servers that begin TLS in the middle of a stream: starttls.py CERTIFICATE KEY KIND...; prints a port for each kind.

Each answers the line `ping` after the handshake with `pong KIND`, and what came before TLS behind the last request, and closes; the one
for smtp takes mails as well. Source: s_client of OpenSSL says what it waits for.
"""
import socket, ssl, struct, sys, threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
XMPP = b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><stream:features>" \
    b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
MYSQL = b'\x0a8.0.0\0' + struct.pack('<I', 7) + b'saltsalt\0' + struct.pack('<HBHH', 0xffff, 33, 2, 0xffff) + b'\x15' \
    + bytes(10) + b'saltsaltsalt\0'
# For each kind: what the server says, and then what it waits for and answers, up to the handshake.
DIALOGUES = {
    'smtp': [(None, b'220 test ESMTP\r\n'), (b'EHLO', b'250-test\r\n250 STARTTLS\r\n'), (b'STARTTLS', b'220 go on\r\n')],
    'lmtp': [(None, b'220 test LMTP\r\n'), (b'LHLO', b'250-test\r\n250 STARTTLS\r\n'), (b'STARTTLS', b'220 go on\r\n')],
    'pop3': [(None, b'+OK test\r\n'), (b'STLS', b'+OK go on\r\n')],
    'imap': [(None, b'* OK test\r\n'), (b'CAPABILITY', b'* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n'),
             (b'STARTTLS', b'. OK go on\r\n')],
    'ftp': [(None, b'220 test\r\n'), (b'AUTH TLS', b'234 go on\r\n')],
    'nntp': [(None, b'200 test\r\n'), (b'CAPABILITIES', b'101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n'),
             (b'STARTTLS', b'382 go on\r\n')],
    'sieve': [(None, b'"IMPLEMENTATION" "test"\r\n"STARTTLS"\r\nOK "test"\r\n'), (b'STARTTLS', b'OK "go on"\r\n')],
    'irc': [(b'STARTTLS', b':test 670 you :go on\r\n')],
    'xmpp': [(b'version', XMPP), (b'<starttls', b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")],
    'ldap': [(b'1.3.6.1.4.1.1466.20037', bytes.fromhex('300c02010178070a010004000400'))],
    'postgres': [(b'\0\0\0\x08\x04\xd2\x16\x2f', b'S')],
    # The client's request and its ClientHello follow each other with no answer in between.
    'mysql': [(None, struct.pack('<I', len(MYSQL)) + MYSQL), (36, b'')],
}


def serve(kind, listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(kind, connection), daemon=True).start()


def wait(connection, wanted):
    """Reads up to a text; of a number, as many bytes."""
    got = b''
    while len(got) < wanted if isinstance(wanted, int) else wanted.upper() not in got.upper():
        part = connection.recv(wanted - len(got) if isinstance(wanted, int) else 4096)
        if not part: raise ConnectionError(f'ended after {got!r}')
        got += part
    return got


def serve_lines(kind, stream, rest):
    """Answers lines after the handshake."""
    answers = {b'EHLO': '250-test\r\n250 SIZE 1000', b'DATA': '354 go on', b'QUIT': '221 bye'}
    is_mail = False
    for line in stream:
        word = line.strip().split(b' ')[0].upper()
        if word == b'PING':
            stream.write(f'pong {kind} {rest}\n'.encode())
            return stream.flush()
        if is_mail and word != b'.': continue
        is_mail = word == b'DATA'
        stream.write((answers.get(word, '250 fine') + '\r\n').encode())
        stream.flush()


def answer(kind, connection):
    connection.settimeout(20)
    try:
        for wanted, text in DIALOGUES[kind]:
            got = b'' if wanted is None else wait(connection, wanted)
            if text: connection.sendall(text)
        rest = got.partition(b'\r\n')[2].strip().decode('latin-1')
        with context.wrap_socket(connection, server_side=True) as secured, secured.makefile('rwb') as stream:
            serve_lines(kind, stream, rest)
            secured.unwrap()
    except (OSError, ConnectionError) as error:
        print(kind, error, file=sys.stderr, flush=True)


for kind in sys.argv[3:]:
    listener = socket.create_server(('127.0.0.1', 0))
    threading.Thread(target=serve, args=(kind, listener), daemon=True).start()
    print(kind, listener.getsockname()[1], flush=True)
sys.stdin.read()
