import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

/// What a kernel that refuses system calls, as old container profiles have it do, is answered with.
@Suite("weir relay where system calls are refused", .serialized, .tags(.network), .timeLimit(.minutes(1)))
struct RefusedCallsTests {
    /// The numbers of system calls on x86-64.
    private enum Call: Int {
        case rtSigtimedwait = 128
        case setsockopt = 54
        case getsockopt = 55
        case ioctl = 16
        case accept = 43
        case recvmsg = 47
        case accept4 = 288
        case recvmmsg = 299
        case sendmmsg = 307
        case epollWait = 232
        case epollPWait = 281
        case epollPWait2 = 441
    }

    /// Refuses the calls of its second argument with the error of its first, and becomes the program of the others.
    private static let script = """
        import ctypes, os, struct, sys
        error, calls = int(sys.argv[1]), [int(n) for n in sys.argv[2].split(',')]
        steps = [(0x20, 0, 0, 0)]
        steps += [(0x15, len(calls) - i, 0, call) for i, call in enumerate(calls)]
        steps += [(6, 0, 0, 0x7fff0000), (6, 0, 0, 0x00050000 | error)]
        code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in steps))
        program = struct.pack('HxxxxxxQ', len(steps), ctypes.addressof(code))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0):
            sys.exit('seccomp: %d' % ctypes.get_errno())
        os.execvp(sys.argv[3], sys.argv[3:])
        """

    private static func refusing(_ calls: [Call], _ error: Int32) -> [String] {
        ["python3", "-c", script, "\(error)", calls.map { "\($0.rawValue)" }.joined(separator: ",")]
    }

    #if arch(x86_64)
    @Test("Without epoll_pwait2 it waits with epoll_wait, whatever the refusal", arguments: [EPERM, ENOSYS, EINVAL])
    func fallsBack(_ error: Int32) async throws {
        let server = try TCPServer()
        let program = try WeirProgram(
            ["relay", "--show", "none", server.route],
            launcher: Self.refusing([.epollPWait2], error)
        )
        let client = try TCPPeer(to: try program.listening()[0])
        let peer = try server.accept()
        try client.send("hello")
        #expect(try peer.receive(5) == Array("hello".utf8))
        client.finish()
        peer.finish()
        #expect(try client.receiveToEnd() == ([], .end))
        #expect(try await program.processorShare(during: .milliseconds(300)) < 0.5)
        #expect(try await program.stop().status == 0)
    }

    @Test(
        "Without accept4, recvmmsg and sendmmsg it uses the older calls, whatever the refusal",
        arguments: [EPERM, ENOSYS, EACCES]
    )
    func olderCalls(_ error: Int32) async throws {
        let (server, datagrams) = (try TCPServer(), try UDPPeer())
        let target = try #require(datagrams.local)
        let program = try WeirProgram(
            ["relay", "--show", "none", server.route, "udp:0=\(target)", "udp:0.0.0.0:0=\(target)"],
            launcher: Self.refusing([.accept4, .recvmmsg, .sendmmsg], error)
        )
        let endpoints = try program.listening(3)
        for _ in 0..<2 {
            let client = try TCPPeer(to: endpoints[0])
            let peer = try server.accept()
            try client.send("hello")
            #expect(try peer.receive(5) == Array("hello".utf8))
            try peer.send("world")
            #expect(try client.receive(5) == Array("world".utf8))
            client.finish()
            peer.finish()
        }
        for endpoint in [endpoints[1], Endpoint(address: .loopbackV4, port: endpoints[2].port)] {
            let client = try UDPPeer(to: endpoint)
            for number in 0..<100 {
                try client.send([UInt8(number), 1, 2])
                let (bytes, source) = try datagrams.receive()
                #expect(bytes == [UInt8(number), 1, 2])
                try datagrams.send([UInt8(number)], to: source)
                #expect(try client.receive().bytes == [UInt8(number)])
            }
        }
        #expect(try await program.processorShare(during: .milliseconds(300)) < 0.5)
        #expect(try await program.stop().status == 0)
    }

    @Test("Where no client can be accepted it says so, waits, and ends", arguments: [EPERM, ENOSYS])
    func cannotAccept(_ error: Int32) async throws {
        let server = try TCPServer()
        let program = try WeirProgram(
            ["relay", "--show", "none", server.route],
            launcher: Self.refusing([.accept4, .accept], error)
        )
        let client = try TCPPeer(to: try program.listening()[0])
        #expect(try program.readErrorLine().hasPrefix("weir: the kernel refuses to accept clients: "))
        #expect(try await program.processorShare(during: .milliseconds(300)) < 0.5)
        #expect(try await program.stop().status == 0)
        client.close()
    }

    @Test("Where no datagram can be received it says so, waits, and ends", arguments: [EPERM, ENOSYS])
    func cannotReceive(_ error: Int32) async throws {
        let server = try UDPPeer()
        let program = try WeirProgram(
            ["relay", "--show", "none", try server.route],
            launcher: Self.refusing([.recvmmsg, .recvmsg], error)
        )
        try UDPPeer(to: try program.listening()[0]).send("hello")
        #expect(try program.readErrorLine().contains(": the kernel refuses to receive datagrams: "))
        #expect(try await program.processorShare(during: .milliseconds(300)) < 0.5)
        #expect(try await program.stop().status == 0)
    }

    @Test("Where the kernel does not say what is unsent, what was delivered still is", arguments: [EPERM, ENOSYS])
    func unknownQueue(_ error: Int32) async throws {
        let server = try TCPServer()
        let program = try WeirProgram(
            ["relay", "--show", "none", server.route],
            launcher: Self.refusing([.ioctl], error)
        )
        let client = try TCPPeer(to: try program.listening()[0])
        let peer = try server.accept()
        let text = String(repeating: "what was read is delivered; ", count: 100)
        try client.send(text)
        // The relay has read it all, as one segment, and the server's kernel has it: a reset at once would take it away.
        #expect(try peer.receive(1) == Array(text.utf8.prefix(1)))
        client.reset()
        #expect(try peer.receiveToEnd() == (Array(text.utf8.dropFirst()), .failed(.connectionReset)))
        #expect(try await program.stop().status == 0)
    }

    @Test("A socket that may not be asked for its error is not taken for one without", arguments: [EPERM, ENOSYS])
    func pendingError(_ error: Int32) async throws {
        // Nobody listens at the port of a socket that is only bound.
        let bound = try LoopbackSocket(.tcp, for: .loopbackV4)
        try bound.bind(to: .anyPortV4)
        let port = try #require(bound.local).port
        let dialed = try await WeirProgram(
            ["connect", "127.0.0.1", "\(port)"],
            launcher: Self.refusing([.getsockopt], error)
        ).finish()
        #expect(dialed.status == 69)
        #expect(dialed.errors.contains("connection refused (ECONNREFUSED)"), "\(dialed.errors)")
        // A reset is noticed, too, and the relay serves.
        let server = try TCPServer()
        let program = try WeirProgram(
            ["relay", "--show", "none", server.route],
            launcher: Self.refusing([.getsockopt], error)
        )
        let client = try TCPPeer(to: try program.listening()[0])
        let peer = try server.accept()
        try client.send("hello")
        #expect(try peer.receive(5) == Array("hello".utf8))
        peer.reset()
        #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
        #expect(try await program.stop().status == 0)
    }

    @Test("A listener that would take other clients than it is to is none", .needsIPv6, arguments: [EPERM, ENOSYS])
    func listeners(_ error: Int32) async throws {
        // Without IPV6_V6ONLY it would take IPv4's clients; without IPV6_RECVPKTINFO it answers from any address.
        for transport in ["tcp", "udp"] {
            let ended = try await WeirProgram(
                ["relay", "--show", "none", "\(transport):[::]:0=127.0.0.1:9"],
                launcher: Self.refusing([.setsockopt], error)
            ).finish()
            #expect(ended.status == (error == EPERM ? 77 : 69))
            let words = "cannot prepare a socket to listen on \(transport) [::]:0"
            #expect(ended.errors.contains(words), "\(ended.errors)")
        }
    }

    @Test("Where sigwait is refused, signals still end it, and it waits for them in peace", arguments: [EPERM, ENOSYS])
    func signals(_ error: Int32) async throws {
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            let server = try TCPServer()
            let program = try WeirProgram(
                ["relay", "--show", "none", server.route],
                launcher: Self.refusing([.rtSigtimedwait], error)
            )
            let client = try TCPPeer(to: try program.listening()[0])
            let peer = try server.accept()
            try client.send("hello")
            #expect(try peer.receive(5) == Array("hello".utf8))
            #expect(try await program.processorShare(during: .milliseconds(300)) < 0.5)
            program.send(signal)
            #expect(try program.readErrorLine().hasPrefix("weir: ending: 1 TCP flow has "))
            program.send(signal)
            let ended = try await program.finish()
            #expect(ended.status == 0 && ended.errors.contains("stopped at once"))
        }
    }

    @Test("Where no call waits for events it says so, and ends with 70")
    func cannotWait() async throws {
        let server = try TCPServer()
        let ended = try await WeirProgram(
            ["relay", "--show", "none", "--threads", "1", server.route],
            launcher: Self.refusing([.epollPWait2, .epollWait, .epollPWait], EPERM)
        ).finish()
        #expect(ended.status == 70)
        #expect(ended.errors.contains("weir: cannot wait for events (epoll_wait): operation not permitted (EPERM)"))
    }
    #endif

    @Test("Under nohup a hang-up ends nothing, and without it everything", arguments: [true, false])
    func hangUp(isIgnored: Bool) async throws {
        let server = try TCPServer()
        let program = try WeirProgram(
            ["relay", "--show", "none", server.route],
            launcher: isIgnored ? ["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""] : []
        )
        let endpoint = try program.listening()[0]
        program.send(SIGHUP)
        guard isIgnored else {
            #expect(try await program.finish().status == 0)
            return
        }
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.send("still there")
        #expect(try peer.receive(11) == Array("still there".utf8))
        client.finish()
        peer.finish()
        #expect(try await program.stop().status == 0)
    }
}
