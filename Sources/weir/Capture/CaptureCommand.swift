import ArgumentParser
import CWeir
import Glibc
import WeirCapture
import WeirRelay
import WeirSinks
import WeirWire

/// The command `weir capture`, which records packets from an interface, or shows them.
struct CaptureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Record packets from an interface with libpcap, or show them.",
        discussion: """
            A FILTER is that of libpcap, see pcap-filter(7); it may be several words:

              weir capture -i lo tcp port 9000             a line for each packet
              weir capture -i any -w Captures/ udp         into a file that it names
              weir capture -w - | wireshark -k -i -        live into Wireshark

            Reading an interface needs the capability CAP_NET_RAW: 'sudo setcap cap_net_raw+ep PATH-OF-WEIR' gives it \
            to the program for good. The interface is not switched to promiscuous mode.

            Times are written 500ms, 10s, 2m or 1h; sizes 4096, 64k or 1M.
            """
    )

    @Argument(help: ArgumentHelp("Which packets to take; all without one.", valueName: "filter"))
    var filter: [String] = []

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Take packets of this interface (default: the loopback); any is all of them.",
            valueName: "name"
        )
    )
    var interface: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Write packets to a file; - is standard output, a folder gets a name.", valueName: "path"),
        completion: .file()
    )
    var write: String?

    @Option(name: [.short, .long], help: ArgumentHelp("End after this many packets.", valueName: "count"))
    var count: UInt64?

    @Option(help: ArgumentHelp("End after this long.", valueName: "time"))
    var duration: DurationArgument?

    @OptionGroup var options: CaptureOptions

    @Option(help: "How the file is written: pcapng or pcap.")
    var format = CaptureSettings.Format.pcapng

    @OptionGroup var rotation: RotationOptions

    @Option(
        help: ArgumentHelp(
            "Become this user, and give up every other right, once the interface and the files are open.",
            valueName: "name"
        )
    )
    var user: String?

    @Option(help: "How packets are shown: summary (a line each; the default without -w), hex (with a dump) or none.")
    var show: PacketPrinter.Show?

    @Flag(help: "List the interfaces.")
    var listInterfaces = false

    func validate() throws {
        if count == 0 { throw ValidationError("--count takes a number from 1.") }
        if let duration, duration.duration <= .zero { throw ValidationError("--duration takes a time above 0.") }
        if write == nil, rotation.isAnyGiven || format != .pcapng {
            throw ValidationError("--format and --rotate-... need --write PATH.")
        }
        if write == "-", rotation.isAnyGiven {
            throw ValidationError("--write - is one stream: --rotate-... needs a PATH.")
        }
        if write == "-", isatty(STDOUT_FILENO) == 1 {
            throw ValidationError("--write - writes a capture to standard output, which is a terminal: pipe it.")
        }
        if write == "-", let show, show != .none {
            throw ValidationError("--write - writes to standard output, so --show \(show) has no place there.")
        }
    }

    func run() async throws {
        do {
            if listInterfaces { return try InterfaceList.print() }
            let status = try await capture()
            if status != .done { Glibc.exit(status.rawValue) }
        } catch {
            throw Failure(error)
        }
    }

    private func capture() async throws -> ExitStatus {
        let interface = interface ?? NetworkInterface.loopbackName
        let source = options.source(interface: interface, filter: filter.joined(separator: " "))
        let user = try findUser()
        // Start the other process before anything is open that it would keep open.
        let maker = try user.flatMap(makeKeeper)
        let handle = try CaptureHandle(source)
        var description = CaptureDescription.ofThisProgram(handle, source)
        description.format = format
        let writer = try writer(description, maker)
        try user?.become()
        var limits = CaptureLimits()
        limits.packets = count ?? .max
        limits.duration = duration?.duration
        let run = try CaptureRun(handle, limits: limits, writer: writer)
        endOnSignal(run)
        Diagnostics.write("capturing on \(interface)\n")
        guard let outcome = await run.outcome() else { return .internalError }
        outcome.report(on: interface)
        return outcome.status
    }

    private func findUser() throws(Failure) -> User? {
        guard let user else { return nil }
        do throws(SystemError) {
            if let found = try User(named: user) { return found }
        } catch {
            throw Failure(error)
        }
        throw Failure(.usage, "there is no user '\(user)'")
    }

    private func makeKeeper(for user: User) throws(SystemError) -> (any FileMaker)? {
        guard let write, write != "-" else { return nil }
        return try FileHelper(for: write, user: user)
    }

    private func writer(_ description: CaptureDescription, _ maker: (any FileMaker)?) throws -> CaptureWriter {
        let show = show ?? (write == nil ? .summary : .none)
        let lines = PacketLines(
            linkType: description.linkType,
            dumps: show == .hex,
            localOffset: Terminal.localOffset
        )
        var file: CaptureFileWriter?
        if let write {
            let target = try write == "-" ? OutputTarget(lent: STDOUT_FILENO) : OutputTarget(files(write, maker))
            file = try CaptureFileWriter(description, to: target)
        }
        return CaptureWriter(
            file: file,
            printer: show == .none ? nil : PacketPrinter(lines),
            status: show == .none ? CaptureStatus() : nil
        )
    }

    private func files(_ path: String, _ maker: (any FileMaker)?) throws(Failure) -> CaptureFiles {
        do {
            guard let maker else { return try CaptureFiles(path, format: format, rotation: rotation.rotation) }
            return try CaptureFiles(path, format: format, rotation: rotation.rotation, maker: maker)
        } catch {
            throw Failure(creating: error)
        }
    }

    /// Ends a capture on the first signal, and the program on the second, because an output without a reader may block
    /// it.
    ///
    /// SIGTERM and SIGHUP often come only once, so after them the program ends once standard output accepts nothing
    /// more.
    private func endOnSignal(_ run: CaptureRun) {
        let isEnding = Lock(false)
        Signals.receive { number in
            Diagnostics.stopWaiting()
            if number != SIGINT { Task { await Self.exitWhenStuck() } }
            let isSecond = isEnding.withLock { isEnding in
                defer { isEnding = true }
                return isEnding
            }
            if isSecond { Glibc.exit(ExitStatus.done.rawValue) }
            run.end()
        }
    }

    /// Ends the program when standard output has been full for five seconds.
    private static func exitWhenStuck() async {
        var tenths = 0
        while tenths < 50 {
            try? await Task.sleep(for: .milliseconds(100))
            var entry = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
            tenths = poll(&entry, 1, 0) == 0 ? tenths + 1 : 0
        }
        Diagnostics.print("not read for 5s: standard output; what was not written there is lost")
        Glibc.exit(ExitStatus.done.rawValue)
    }
}

extension PacketPrinter.Show: ExpressibleByArgument {}

/// The interfaces on which packets can be captured.
enum InterfaceList {
    /// Prints a line for each: its name, whether it is up, its description, and its addresses.
    static func print() throws(CaptureError) {
        let interfaces = try NetworkInterface.all()
        let width = interfaces.map(\.name.count).max() ?? 0
        for interface in interfaces {
            let name = interface.name + String(repeating: " ", count: width - interface.name.count)
            let details = [interface.isLoopback ? "loopback" : nil, interface.description].compactMap(\.self)
            let words = [interface.isUp ? "up" : "down"] + details + interface.addresses.map(\.description)
            Swift.print("\(name)  \(words.joined(separator: ", "))")
        }
    }
}
