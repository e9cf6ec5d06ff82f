import Glibc
import Support
import Synchronization
import Testing
import WeirWire

@testable import WeirRelay

@Suite("Resolver", .timeLimit(.minutes(1)))
struct ResolverTests {
    @Test("Takes addresses as they are")
    func addresses() throws {
        let address = IPAddress(v4: 0x0102_0304)
        #expect(
            try Resolver.resolve(HostPort(.address(address), 80), family: nil) == [Endpoint(address: address, port: 80)]
        )
        #expect(
            try Resolver.resolve(HostPort(.loopbackByDefault, 7), family: nil)
                == [Endpoint(address: .loopbackV4, port: 7)]
        )
        #expect(try Resolver.resolve(HostPort(.any, 7), family: nil).map(\.address) == [.anyV4, .anyV6])
    }

    @Test("The family chooses among a name's addresses, and among nothing else", arguments: [AddressFamily.v4, .v6])
    func family(family: AddressFamily) throws {
        #expect(try Resolver.resolve(HostPort(.any, 7), family: family).count == 2)
        #expect(try Resolver.resolve(HostPort(.address(.loopbackV4), 7), family: family).count == 1)
        #expect(try Resolver.resolve(HostPort(.address(.loopbackV6), 7), family: family).count == 1)
    }

    @Test("Resolves localhost", arguments: [nil, AddressFamily.v4])
    func localhost(family: AddressFamily?) throws {
        let endpoints = try Resolver.resolve(HostPort(.name("localhost"), 80), family: family)
        #expect(endpoints.contains(Endpoint(address: .loopbackV4, port: 80)))
        #expect(endpoints.allSatisfy { $0.port == 80 && $0.address.isLoopback })
        #expect(Set(endpoints).count == endpoints.count)
    }

    @Test("Takes each address of a name once, in the resolver's order")
    func twice() {
        var addresses = ([1, 2, 1, 3, 2] as [UInt32]).map { number in
            var storage = sockaddr_storage()
            let endpoint = Endpoint(address: IPAddress(v4: 0x7f00_0000 + number), port: 1)
            let length = SocketAddress.write(endpoint, to: &storage)
            return (storage: storage, length: length)
        }
        let endpoints = addresses.withUnsafeMutableBufferPointer { addresses in
            let entries = UnsafeMutablePointer<addrinfo>.allocate(capacity: addresses.count)
            defer { entries.deallocate() }
            for index in addresses.indices {
                var entry = addrinfo()
                entry.ai_addr = UnsafeMutableRawPointer(addresses.baseAddress.map { $0 + index })?
                    .assumingMemoryBound(to: sockaddr.self)
                entry.ai_addrlen = addresses[index].length
                entry.ai_next = index + 1 < addresses.count ? entries + index + 1 : nil
                (entries + index).initialize(to: entry)
            }
            return Resolver.endpoints(entries, port: 80)
        }
        #expect(endpoints.map(\.description) == ["127.0.0.1:80", "127.0.0.2:80", "127.0.0.3:80"])
    }

    @Test("Says that a name does not resolve")
    func unknown() {
        let error = #expect(throws: ResolveError.self) {
            try Resolver.resolve(HostPort(.name("nonexistent.invalid"), 80), family: nil)
        }
        #expect(error?.name == "nonexistent.invalid")
        #expect(error?.description.hasPrefix("cannot resolve 'nonexistent.invalid': ") == true)
    }
}

@Suite("Target", .timeLimit(.minutes(1)))
struct TargetTests {
    /// Answers each question with the next port, and counts them.
    private final class Names: Sendable {
        let asked = Atomic<Int>(0)
        let fails: Bool

        init(fails: Bool = false) { self.fails = fails }

        var resolve: Resolve {
            { host, _ throws(ResolveError) in
                let number = self.asked.add(1, ordering: .relaxed).newValue
                if self.fails, number > 1 { throw ResolveError(name: "n", reason: "gone") }
                return [Endpoint(address: .loopbackV4, port: UInt16(number))]
            }
        }
    }

    private static let name = HostPort(.name("n.test"), 80)

    @Test("Keeps an answer for 30 s, and then asks again")
    func refresh() async throws {
        let names = Names()
        let target = Target(Self.name, over: .tcp, family: nil, resolve: names.resolve) { Issue.record("\($0)") }
        let now = SystemClock.instant()
        #expect(target.endpoints(at: now.advanced(by: .seconds(29)), orAfter: {})?.map(\.port) == [1])
        #expect(names.asked.load(ordering: .relaxed) == 1)
        await withCheckedContinuation { continuation in
            #expect(target.endpoints(at: now.advanced(by: .seconds(31)), orAfter: { continuation.resume() }) == nil)
        }
        #expect(target.endpoints.map(\.port) == [2])
        #expect(target.endpoints(at: SystemClock.instant(), orAfter: {})?.map(\.port) == [2])
        #expect(names.asked.load(ordering: .relaxed) == 2)
    }

    @Test("Keeps the last answer where a name is gone, and says so")
    func gone() async throws {
        let names = Names(fails: true)
        let reports = Reports()
        let target = Target(Self.name, over: .tcp, family: nil, resolve: names.resolve) { reports.add($0) }
        let asked = SystemClock.instant()
        await withCheckedContinuation { continuation in
            let later = asked.advanced(by: .seconds(31))
            #expect(target.endpoints(at: later, orAfter: { continuation.resume() }) == nil)
        }
        #expect(target.endpoints.map(\.port) == [1])
        #expect(reports.lines == ["cannot resolve 'n': gone; its last addresses are used"])
        // The answer is as good as new, for 30 s: a name that is gone is not asked for by each flow.
        #expect(target.endpoints(at: asked.advanced(by: .seconds(30)), orAfter: {})?.map(\.port) == [1])
        #expect(names.asked.load(ordering: .relaxed) == 2)
    }

    @Test("The names of all targets are looked up at the same time, each once", .timeLimit(.minutes(1)))
    func atOnce() async throws {
        let asked = Lock<[HostPort]>([])
        // Each answer waits until all three are asked for.
        let resolve: Resolve = { host, _ throws(ResolveError) in
            asked.withLock { $0.append(host) }
            while asked.withLock({ $0.count }) < 3 { sched_yield() }
            if host.port == 3 { throw ResolveError(name: "n", reason: "gone") }
            return [Endpoint(address: .loopbackV4, port: host.port)]
        }
        let hosts = [1, 2, 3, 1, 2].map { HostPort(.name("n"), $0) } + [HostPort(.address(.loopbackV4), 4)]
        let answers = await Resolver.resolveNames(hosts, resolve, family: nil)
        #expect(asked.withLock { Set($0) == Set(hosts.prefix(3)) && $0.count == 3 })
        #expect(answers.count == 3)
        #expect(try answers[hosts[0]]?.get().map(\.port) == [1] && answers[hosts[1]]?.get().map(\.port) == [2])
        #expect(answers[hosts[2]] == .failure(ResolveError(name: "n", reason: "gone")))
    }

    @Test("A name that never resolves is told once, and then each ten seconds with a count")
    func never() async throws {
        let (reports, time) = (Reports(), ManualTime())
        let resolve: Resolve = { _, _ throws(ResolveError) in throw ResolveError(name: "n", reason: "gone") }
        let target = Target(
            Self.name,
            over: .tcp,
            family: nil,
            resolve: resolve,
            clock: { time.now },
            report: { reports.add($0) }
        )
        let first =
            "cannot resolve 'n': gone; it is looked up again for each client, and refused until it has an address"
        #expect(reports.lines == [first])
        func ask(_ clients: Int) async {
            for _ in 0..<clients {
                await withCheckedContinuation { continuation in
                    #expect(target.endpoints(at: SystemClock.instant(), orAfter: { continuation.resume() }) == nil)
                }
            }
        }
        await ask(50)
        let line = "cannot resolve 'n': gone; the client is refused"
        #expect(reports.lines == [first, line])
        time.set(.milliseconds(9999))
        await ask(1)
        #expect(reports.lines.count == 2)
        time.set(.seconds(10))
        await ask(2)
        #expect(reports.lines.dropFirst(2) == ["\(line) (51 times more in 10 s)"])
        time.set(.seconds(12))
        target.tellRest()
        #expect(reports.lines.dropFirst(3) == ["\(line) (1 time more in 2 s)"])
        target.tellRest()
        #expect(reports.lines.count == 4)
    }

    @Test("An address is never asked for again")
    func address() throws {
        let names = Names()
        let target = Target(
            HostPort(.address(.loopbackV4), 80),
            over: .tcp,
            family: nil,
            resolve: names.resolve,
            report: { Issue.record("\($0)") }
        )
        let later = SystemClock.instant().advanced(by: .seconds(1000))
        #expect(target.endpoints(at: later, orAfter: {})?.map(\.port) == [1])
        #expect(names.asked.load(ordering: .relaxed) == 1)
    }
}
