"""What a program sees of UDP: datagrams.py HOST PORT; prints the same with and without Weir. HOST:PORT echoes.

The own ports that sent something go to standard error, one a line.
"""
import errno, select, socket, struct, sys

HOST, PORT = sys.argv[1], int(sys.argv[2])
FAMILY = socket.AF_INET6 if ':' in HOST else socket.AF_INET


def made(family=FAMILY):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(5)
    return s


def say(name, body):
    try:
        print(name, body())
    except OSError as error:
        print(name, type(error).__name__, error)


def seen(s):
    print('port', s.getsockname()[1], file=sys.stderr)


def unconnected():
    s = made()
    answers = []
    for data in [b'one', b'', b'three' * 100]:
        s.sendto(data, (HOST, PORT))
        answers.append(s.recvfrom(1000))
    seen(s)
    return answers


def connected():
    s = made()
    s.connect((HOST, PORT))
    answers = [s.getpeername(), s.getsockname()[0]]
    for data in [b'one', b'', b'three']:
        s.send(data)
        answers.append(s.recv(100))
    s.send(b'last')
    answers.append(s.recvfrom(100))
    seen(s)
    return answers


def refused():
    s = made()
    s.settimeout(2)
    s.connect((HOST, 9))
    answers = []
    for _ in range(2):
        try:
            s.send(b'x')
            answers.append(s.recv(9))
        except OSError as error:
            answers.append(errno.errorcode[error.errno])
    seen(s)
    return answers


def refused_often():
    """The error of several datagrams is told, whatever their number: by a later one, or after them."""
    answers = []
    for count in [1, 2, 3, 4]:
        s = made()
        s.connect((HOST, 9))
        is_told = False
        for _ in range(count):
            try: s.send(b'x')
            except ConnectionRefusedError: is_told = True
        poll = select.poll()
        poll.register(s, 0)
        answers.append(is_told or poll.poll(2000) != [])
        seen(s)
    return answers


def to_none():
    s = made()
    s.sendto(b'x', ('::' if FAMILY == socket.AF_INET6 else '0.0.0.0', PORT))
    answer = s.recvfrom(9)
    seen(s)
    return answer


def messages():
    s = made()
    s.setsockopt(socket.SOL_SOCKET, 29, 1)
    sent = s.sendmsg([b'ab', b'cd', b''], [], 0, (HOST, PORT))
    data, control, flags, source = s.recvmsg(100, 100)
    seen(s)
    return sent, data, [(level, kind, len(value)) for level, kind, value in control], flags, source


def cut():
    s = made()
    s.sendto(b'0123456789', (HOST, PORT))
    peeked = s.recvfrom(4, socket.MSG_PEEK)
    data, _, flags, source = s.recvmsg(4)
    seen(s)
    return peeked, data, flags, source


def waits():
    s = made()
    s.setblocking(False)
    answers = []
    try:
        s.recvfrom(9)
    except OSError as error:
        answers.append(errno.errorcode[error.errno])
    s.settimeout(0.1)
    try:
        s.recvfrom(9)
    except OSError as error:
        answers.append(type(error).__name__)
    s.setblocking(True)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 100_000))
    try:
        s.recvfrom(9)
    except OSError as error:
        answers.append(errno.errorcode[error.errno])
    return answers


def polled():
    s = made()
    s.setblocking(False)
    s.sendto(b'x', (HOST, PORT))
    poll = select.poll()
    poll.register(s, select.POLLIN)
    events = poll.poll(5000)[0][1]
    seen(s)
    return events, s.recvfrom(9)


def sizes():
    s = made()
    answers = []
    for size in [1, 1472, 65_507 if FAMILY == socket.AF_INET else 65_527 - 20, 70_000]:
        try:
            answers.append(s.sendto(b'x' * size, (HOST, PORT)))
            answers.append(len(s.recvfrom(80_000)[0]))
        except OSError as error:
            answers.append(errno.errorcode[error.errno])
    seen(s)
    return answers


def reused():
    """One socket, connected to one server, to none, and to another one."""
    s = made()
    s.connect((HOST, PORT))
    s.send(b'one')
    answers = [s.recv(9)]
    s.connect((HOST, 9))
    answers.append(s.getpeername())
    s.connect((HOST, PORT))
    s.send(b'two')
    answers += [s.recv(9), s.getpeername()]
    seen(s)
    return answers


def threads():
    import threading
    s = made()
    got = []
    def wait():
        got.append(s.recvfrom(100))
    thread = threading.Thread(target=wait)
    thread.start()
    s.sendto(b'late', (HOST, PORT))
    thread.join()
    seen(s)
    return got


def server():
    """A server and its client in one program: an answer is no new destination."""
    one, other = made(), made()
    one.bind((HOST if HOST in ('127.0.0.1', '::1') else '', 0))
    other.sendto(b'question', (HOST if HOST in ('127.0.0.1', '::1') else '127.0.0.1', one.getsockname()[1]))
    data, client = one.recvfrom(100)
    one.sendto(b'answer', client)
    answer, source = other.recvfrom(100)
    return data, answer, source[1] == one.getsockname()[1]


def itself(connects):
    s = made()
    s.bind((HOST, 0))
    if connects: s.connect(s.getsockname())
    sent = s.send(b'me') if connects else s.sendto(b'me', s.getsockname())
    return sent, s.recvfrom(9) == (b'me', s.getsockname())


def named(host):
    s = made()
    s.connect((host, PORT))
    return s.getpeername()


def broadcast(allowed):
    s = made()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, allowed)
    return s.sendto(b'x', ('127.255.255.255', 9))


def source():
    """The address to which a client is bound is the one that its server sees."""
    one, other = made(), made()
    one.bind(('127.0.0.1', 0))
    other.bind(('127.0.0.5', 0))
    other.sendto(b'question', one.getsockname())
    data, client = one.recvfrom(100)
    one.sendto(b'answer', client)
    return data, client[0], other.recvfrom(100) == (b'answer', one.getsockname()), other.getsockname()[0]


say('unconnected', unconnected)
say('connected', connected)
say('refused', refused)
# Over a network the kernel limits how often it refuses.
if HOST in ('127.0.0.1', '::1'):
    say('refused often', refused_often)
    say('to none', to_none)
say('messages', messages)
say('cut', cut)
say('waits', waits)
say('polled', polled)
say('sizes', sizes)
say('threads', threads)
say('reused', reused)
say('port 0', lambda: made().sendto(b'x', (HOST, 0)))
if HOST in ('127.0.0.1', '::1'):
    say('server', server)
    say('itself', lambda: itself(False))
    say('unspecified', lambda: named('0.0.0.0' if FAMILY == socket.AF_INET else '::'))
    say('itself, connected', lambda: itself(True))
if HOST == '127.0.0.1':
    say('source', source)
    say('broadcast', lambda: broadcast(True))
    say('broadcast, not allowed', lambda: broadcast(False))
if FAMILY == socket.AF_INET:
    def mapped():
        s = made(socket.AF_INET6)
        s.sendto(b'x', ('::ffff:' + HOST, PORT))
        seen(s)
        return s.recvfrom(9)
    say('mapped', mapped)
    def no_way():
        """From the loopback's own address no other host is reached: nothing leaves this machine."""
        s = made()
        s.bind(('127.0.0.1', 0))
        s.sendto(b'x', ('240.0.0.1', 80))
    say('no way', no_way)
    say('too long', lambda: made().sendto(b'x' * 65_508, (HOST, PORT)))
