import CWeir
import Glibc
import Support
import Synchronization
import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("The processes behind clients of this machine", .tags(.network), .timeLimit(.minutes(1)))
struct ProcessSearchTests {
    private static let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(getuid())"

    private static var name: String {
        get throws {
            let text = String(decoding: try TemporaryFolder.read("/proc/self/comm"), as: UTF8.self)
            return String(text.dropLast())
        }
    }

    private static func question(
        _ client: Endpoint,
        _ listener: Endpoint,
        over transport: Transport = .tcp,
        cookie: UInt64 = 0,
        at moment: Moment = SystemClock.now()
    ) -> ProcessSearch.Question {
        ProcessSearch.Question(
            flow: FlowID(1),
            transport: transport,
            client: client,
            listener: listener,
            cookie: cookie,
            moment: moment
        )
    }

    @Test("Each client's socket is found by its ends, with its process, and one that is not there is unknown")
    func finds() throws {
        let server = try TCPServer()
        let (client, datagrams) = (try TCPPeer(to: server.endpoint), try UDPPeer(to: server.endpoint))
        let peer = try server.accept()
        let (local, source) = (try #require(client.local), try #require(datagrams.local))
        let v6 = try UDPPeer(to: Endpoint(address: .loopbackV6, port: 9))
        let sixth = try #require(v6.local)
        var search = try ProcessSearch()
        let unused = try LoopbackPort.free()
        let questions = [
            Self.question(local, server.endpoint), Self.question(source, server.endpoint, over: .udp),
            Self.question(sixth, Endpoint(address: .loopbackV6, port: 9), over: .udp),
            Self.question(Endpoint(address: .loopbackV4, port: unused), server.endpoint),
            Self.question(local, Endpoint(address: .loopbackV4, port: unused)),
            // Another connection's cookie, and a time before this process had started.
            Self.question(local, server.endpoint, cookie: 1),
            Self.question(local, server.endpoint, at: Moment(wallNanoseconds: 0, instant: Instant(nanoseconds: 1))),
        ]
        let found = ProcessAnswer.found(ClientProcess(identifier: getpid(), name: try Self.name, user: Self.user))
        let answers = search.answer(questions, everywhere: true)
        #expect(answers == [found, found, found, .unknown, .unknown, .unknown, .unknown])
        // This process is known now, and found without a walk over the others.
        #expect(search.answer(Array(questions[..<4]), everywhere: false) == [found, found, found, .unknown])
        var other = try ProcessSearch()
        #expect(other.answer([], everywhere: true).isEmpty)
        withExtendedLifetime((peer, v6, datagrams)) {}
    }

    /// Makes a server at whose port nobody has a socket for datagrams.
    private static func serverAlone() throws -> TCPServer {
        while true {
            let server = try TCPServer()
            if ProcessSearch.holder(of: .udp, Endpoint(address: .anyV4, port: server.endpoint.port)) == nil {
                return server
            }
        }
    }

    @Test("The process that holds a port is found, over both transports, at its address or at all of them")
    func holders() throws {
        let server = try Self.serverAlone()
        let datagrams = try UDPPeer()
        let local = try #require(datagrams.local)
        let expected = ClientProcess(identifier: getpid(), name: try Self.name, user: Self.user)
        let any = Endpoint(address: .anyV4, port: server.endpoint.port)
        let elsewhere = Endpoint(address: IPAddress(v4: 0x7F00_0002), port: server.endpoint.port)
        #expect(ProcessSearch.holder(of: .tcp, server.endpoint) == expected)
        #expect(ProcessSearch.holder(of: .tcp, any) == expected && ProcessSearch.holder(of: .udp, local) == expected)
        #expect(
            ProcessSearch.holder(of: .tcp, elsewhere) == nil && ProcessSearch.holder(of: .udp, server.endpoint) == nil
        )
        let free = Endpoint(address: .loopbackV4, port: try LoopbackPort.free())
        #expect(ProcessSearch.holder(of: .tcp, free) == nil && ProcessSearch.holder(of: .udp, free) == nil)
    }

    @Test("A process had started before now, and not when the system did; one that is none is nobody")
    func starts() throws {
        let owner = try #require(ProcessSearch.Owner(getpid()))
        #expect(try owner.name == Self.name)
        #expect(owner.hadStarted(at: SystemClock.now()))
        #expect(!owner.hadStarted(at: Moment(wallNanoseconds: 0, instant: Instant(nanoseconds: 1))))
        #expect(ProcessSearch.Owner(-1) == nil && ProcessSearch.Owner(.max) == nil)
    }

    @Test("The newest process is looked at first, also where the numbers have begun again")
    func newestFirst() {
        #expect(ProcessSearch.newestFirst([1, 7, 30, 900], last: 900) == [900, 30, 7, 1])
        #expect(ProcessSearch.newestFirst([1, 7, 30, 900], last: 5000) == [900, 30, 7, 1])
        #expect(ProcessSearch.newestFirst([1, 7, 30, 900], last: 30) == [30, 7, 1, 900])
        #expect(ProcessSearch.newestFirst([1, 7, 30, 900, 901], last: 8) == [7, 1, 901, 900, 30])
        #expect(ProcessSearch.newestFirst([1, 7], last: nil) == [7, 1])
        #expect(ProcessSearch.newestFirst([], last: 3) == [])
    }

    @Test("The number of the process that was made last is known")
    func lastProcess() throws {
        let limit = String(decoding: try TemporaryFolder.read("/proc/sys/kernel/pid_max"), as: UTF8.self)
        let most = try #require(Int32(limit.dropLast()))
        #expect((1...most).contains(try #require(ProcessSearch.lastProcess())))
    }

    @Test("A user has a name, or else a number")
    func users() throws {
        var users = UserNames()
        #expect(users.name(of: 0) == "root" && users.name(of: 0) == "root")
        #expect(users.name(of: 3_999_999_999) == "3999999999")
        #expect(
            try User(named: "root")?.id == 0 && User(named: "root")?.group == 0 && User(named: "root")?.name == "root"
        )
        #expect(try User(named: "no-such-user") == nil)
    }

    // MARK: - The thread

    private static func path(_ client: Endpoint, _ listener: Endpoint) -> FlowPath {
        FlowPath(client: client, listener: listener)
    }

    @Test("A client of this machine is asked about and found; one of another is not asked about")
    func asks() throws {
        let server = try TCPServer()
        let client = try TCPPeer(to: server.endpoint)
        let peer = try server.accept()
        let processes = try ClientProcesses()
        defer { processes.end() }
        let local = try #require(client.local)
        processes.ask(FlowID(1), .tcp, Self.path(local, server.endpoint), cookie: 0, at: SystemClock.now())
        let expected = ProcessAnswer.found(ClientProcess(identifier: getpid(), name: try Self.name, user: Self.user))
        let deadline = Deadline()
        while processes.known(FlowID(1)) == nil, !deadline.isOver { usleep(1000) }
        #expect(processes.known(FlowID(1)) == expected && processes.answer(FlowID(1)) == expected)
        #expect(processes.lookup(FlowID(1)) == expected && processes.peek(FlowID(1)) == expected)
        let stranger = Endpoint(address: IPAddress(v4: 0xC000_0201), port: 5)
        processes.ask(FlowID(2), .tcp, Self.path(stranger, server.endpoint), cookie: 0, at: SystemClock.now())
        #expect(processes.known(FlowID(2)) == .notAsked && processes.answer(FlowID(2)) == .notAsked)
        // An address of this machine that is no loopback may be a client's too.
        processes.ask(
            FlowID(3),
            .tcp,
            Self.path(stranger, Endpoint(address: stranger.address, port: 6)),
            cookie: 0,
            at: SystemClock.now()
        )
        #expect(processes.known(FlowID(3)) != .notAsked && processes.answer(FlowID(3)) == .unknown)
        #expect(processes.skipped.load(ordering: .relaxed) == 0)
        withExtendedLifetime((client, peer)) {}
    }

    @Test("2,000 clients are asked about at once, and 500 a second after that")
    func limits() throws {
        let processes = try ClientProcesses()
        let client = Endpoint(address: .loopbackV4, port: 1)
        func ask(_ flows: ClosedRange<UInt64>, at time: Duration) {
            for flow in flows {
                processes.ask(FlowID(flow), .udp, Self.path(client, client), cookie: 0, at: ManualClock.moment(time))
            }
        }
        func skipped() -> Int { processes.skipped.load(ordering: .relaxed) }
        ask(1...2000, at: .zero)
        #expect(skipped() == 0)
        ask(2001...2003, at: .zero)
        #expect(skipped() == 3 && processes.known(FlowID(2003)) == .unknown)
        ask(2004...2010, at: .milliseconds(10))
        #expect(skipped() == 5)
        ask(2011...2020, at: .milliseconds(5))
        #expect(skipped() == 15)
        ask(2021...4030, at: .seconds(3600))
        #expect(skipped() == 25)
        processes.end()
    }

    @Test("The answers of the last 32,768 flows are kept")
    func keeps() throws {
        let processes = try ClientProcesses()
        processes.end()
        let client = Endpoint(address: .loopbackV4, port: 1)
        for flow in UInt64(1)...70_000 {
            processes.ask(FlowID(flow), .udp, Self.path(client, client), cookie: 0, at: ManualClock.moment(.zero))
        }
        #expect(processes.known(FlowID(70_000)) == .unknown && processes.known(FlowID(70_000 - 32_767)) == .unknown)
        #expect(processes.known(FlowID(70_000 - 32_768)) == .notAsked && processes.known(FlowID(1)) == .notAsked)
    }

    // MARK: - Probing

    @Test(
        "A probe takes so many ports from so many destinations, and says so",
        arguments: [
            (Transport.tcp, 1, 1, "1 connection one at a time to 1 listener on 127.0.0.1 in "),
            (.tcp, 5, 3, "5 connections one at a time to 3 listeners on 127.0.0.1 in "),
            (.udp, 2, 2, "2 sockets one at a time to 2 listeners on 127.0.0.1 in "),
            (.udp, 1, 0, "1 socket one at a time to 1 listener on 127.0.0.1 in "),
        ]
    )
    func probes(transport: Transport, count: Int, destinations: Int, account: String) async throws {
        for style in [PortProbe.Style.connect, .bind] {
            var probe = PortProbe(transport, style)
            #expect(probe.count == 500 && probe.destinations == 2 && probe.over == .zero)
            (probe.count, probe.destinations) = (count, destinations)
            let result = try await probe.run()
            #expect(result.series.count == count && result.account.hasPrefix(account))
            let end = transport == .tcp ? " ms, each reset at once, 0 left in TIME_WAIT" : " ms"
            #expect(result.account.hasSuffix(end), "\(result.account)")
        }
    }

    @Test("A probe keeps to a range, and is spread over a time")
    func probesRange() async throws {
        let system = try #require(HostPorts.range())
        var probe = PortProbe(.udp, .range)
        probe.range = PortRange(system.low + 20, system.low + 39)
        (probe.count, probe.over) = (5, .milliseconds(100))
        let start = ContinuousClock.now
        let result = try await probe.run()
        #expect(ContinuousClock.now - start >= .milliseconds(100))
        #expect(result.series.count == 5)
        let report = PortAnalysis.report(result.series, known: nil)
        #expect(report.statistics.seen.low >= system.low + 20 && report.statistics.seen.high <= system.low + 39)
    }
}
