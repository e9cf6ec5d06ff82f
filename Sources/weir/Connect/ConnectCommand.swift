import ArgumentParser
import Glibc
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

/// The command `weir connect`, which connects standard input and output to a peer.
struct ConnectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Send standard input to a peer and write what it sends, over TCP or UDP, as nc does.",
        discussion: """
            HOST is a name or an address (::1 and [::1] alike, fe80::1%eth0); the addresses of a name are tried in order.

              weir connect 127.0.0.1 9000     type lines; ^D ends sending, ^C ends all
              weir connect -C 127.0.0.1 80    type GET / HTTP/1.0 and an empty line
              weir connect -v --show hex ::1 9000 <file >answer
              echo hello | weir connect -u localhost 9000
              weir connect --tls example.com 443

            The end of standard input closes the sending half of a TCP connection. The program ends when the peer closes; \
            input that is ready by then is still sent, and a pipe is read until it was silent for half a second. With -u \
            each read of standard input (from a terminal a line) is one datagram, and after its end answers are waited \
            for as long as -w says.

            With --tls the end of standard input is said to the server (close_notify), whose answer is still read. A server \
            that ends without saying so ends with 74, after all that came is written: it may have been cut.

            Exit codes: 0 the peer closed, or nothing came for as long as -w says; 64 usage; 69 cannot connect, or a \
            handshake of TLS failed; 74 the peer reset, or input, output or TLS failed; 77 permission denied.
            """
    )

    @Argument(help: ArgumentHelp("The peer's name or address.", valueName: "host"))
    var host: String

    @Argument(help: ArgumentHelp("The peer's port, 1 to 65535.", valueName: "port"))
    var port: String

    @Flag(name: .customShort("u"), help: "Use UDP.")
    var udp = false

    @OptionGroup var families: FamilyOptions

    @Flag(name: .customShort("C"), help: "Send LF as CRLF; a CRLF stays as it is.")
    var sendsCRLF = false

    @Option(
        name: .customShort("w"),
        help: ArgumentHelp(
            "Give up connecting after this long, then end when nothing came or went for this long; 0 never does. Without "
                + "it, UDP ends 1 s after the end of standard input and the last datagram.",
            valueName: "seconds"
        )
    )
    var wait: DurationArgument?

    @Option(name: .customShort("p"), help: ArgumentHelp("Send from this port.", valueName: "port"))
    var sourcePort: String?

    @Flag(name: .customShort("v"), help: "Say on standard error which endpoints are connected, and what failed before.")
    var verbose = false

    @Option(
        help: "Show both directions on standard error: hex, text, summary (a line each) or text2pcap (what it reads)."
    )
    var show = TerminalSink.Show.none

    @Option(
        help: ArgumentHelp(
            "Show at most this many bytes of a chunk; 0 shows all (default: 512 on a terminal, 4096 elsewhere).",
            valueName: "bytes"
        )
    )
    var showLimit: ByteCountArgument?

    @OptionGroup var screen: ScreenOptions

    @OptionGroup var tls: ConnectTLSOptions

    func validate() throws {
        if show == .messages || show == .ports {
            throw ValidationError(
                "--show \(show) is for 'weir relay'; here there are hex, text, summary and text2pcap."
            )
        }
        if udp, tls.tls { throw ValidationError("--tls is for TCP, so -u has no place.") }
    }

    func run() throws {
        let connection: Connection
        do {
            connection = try connect()
        } catch {
            throw Failure(error)
        }
        do {
            try converse(connection)
        } catch {
            let isRefused = if case .system(let failed) = error { failed.error == .connectionRefused } else { false }
            throw Failure(udp && isRefused ? .unavailable : .inputOutput, "\(error)")
        }
    }

    /// Connects, and makes the handshake of TLS if that is asked for.
    private func connect() throws -> Connection {
        let host = try namedHost()
        #if TLS
        let client = try tls.client(for: host)
        #else
        try tls.refuse()
        #endif
        let endpoints = try endpoints(of: host)
        let timeout = wait.flatMap { $0.duration > .zero ? $0.duration : nil }
        let connector = Connector(udp ? .udp : .tcp, sourcePort: try Self.port(sourcePort, "-p"), timeout: timeout)
        var connection = try connector.connect(to: endpoints) { if verbose { Diagnostics.print("\($0)") } }
        if verbose { Diagnostics.write("connected \(connection.local) -> \(connection.peer)\n") }
        #if TLS
        if let client { tell(try connection.secure(by: client, timeout: timeout)) }
        #endif
        return connection
    }

    #if TLS
    /// Says what TLS has agreed on; with `--show` the flow's lines do.
    private func tell(_ secured: SecuredRecord) {
        guard show == .none else { return }
        Diagnostics.write("tls \(TerminalSink(show: .none).text(of: secured))\n")
    }
    #endif

    private func namedHost() throws -> HostPort.Host {
        guard let host = try HostPort.Host(alone: host) else {
            throw Failure(.usage, "'\(self.host)' is not a host: HOST is a name or an IP address")
        }
        return host
    }

    private func endpoints(of host: HostPort.Host) throws -> [Endpoint] {
        guard let port = try Self.port(port, "PORT") else { return [] }
        if case .address(let address) = host, let family = families.family, (family == .v4) != address.isV4 {
            let (kind, option) = address.isV4 ? ("IPv4", "-6") : ("IPv6", "-4")
            throw Failure(.usage, "\(address) is an \(kind) address, which \(option) excludes")
        }
        return try Resolver.resolve(HostPort(host, port), family: families.family)
    }

    private static func port(_ text: String?, _ name: String) throws(Failure) -> UInt16? {
        guard let text else { return nil }
        guard let port = UInt16(text), port > 0, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Failure(.usage, "'\(text)' is not a port: \(name) takes a number from 1 to 65535")
        }
        return port
    }

    private func converse(_ connection: consuming Connection) throws(ConversationError) {
        var settings = Conversation.Settings()
        settings.sendsCRLF = sendsCRLF
        if let wait {
            settings.idleTimeout = wait.duration > .zero ? wait.duration : nil
            settings.answerTimeout = settings.idleTimeout
        }
        var conversation = Conversation(
            connection,
            input: STDIN_FILENO,
            output: STDOUT_FILENO,
            settings: settings,
            observer: observer()
        )
        try conversation.run()
    }

    /// Returns an observer that renders records on standard error, and waits if its reader is slow.
    private func observer() -> Conversation.Observer? {
        guard show != .none else { return nil }
        let style = screen.style(of: STDERR_FILENO)
        var options = TerminalSink.Options()
        options.limit = showLimit?.bytes ?? (show == .text2pcap ? 0 : style.isTerminal ? 512 : 4096)
        var sink = TerminalSink(show: show, options, style: style, localOffset: Terminal.localOffset)
        return { record, bytes in
            var output = ByteBuffer(capacity: 1 << 12)
            sink.render(record, bytes: bytes, into: &output)
            output.withUnsafeBytes { Diagnostics.write($0) }
        }
    }
}
