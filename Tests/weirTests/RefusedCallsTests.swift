import Glibc
import Support
import Testing
import WeirWire

/// What a kernel that refuses system calls, as old container profiles have it do, is answered with.
@Suite("weir relay where system calls are refused", .serialized, .tags(.network), .timeLimit(.minutes(1)))
struct RefusedCallsTests {
    /// The numbers of system calls on x86-64.
    private enum Call: Int {
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
