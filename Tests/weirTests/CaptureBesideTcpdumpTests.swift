import Glibc
import Support
import Testing
import WeirRelay
import WeirWire

/// Names what packets go over, and how they are addressed.
private struct Place: Sendable, CustomTestStringConvertible {
    var interface: String
    var isV6: Bool
    var isVirtualPair = false

    var testDescription: String { "\(interface) over \(isV6 ? "IPv6" : "IPv4")" }

    static let all = [
        Place(interface: "lo", isV6: false), Place(interface: "lo", isV6: true),
        Place(interface: "v0", isV6: false, isVirtualPair: true),
        Place(interface: "v0", isV6: true, isVirtualPair: true),
        Place(interface: "any", isV6: false), Place(interface: "any", isV6: true),
    ]
}

@Suite("weir capture beside tcpdump", .serialized, .tags(.capture, .slow), .timeLimit(.minutes(5)))
struct CaptureBesideTcpdumpTests {
    private static let count = 100_000
    /// Holds all of the packets, so that a machine that is busy with other things loses none.
    private static let buffer = 160 << 20

    private let folder: TemporaryFolder
    private let here: NetworkNamespace
    private let there: NetworkNamespace

    init() throws {
        folder = try TemporaryFolder()
        (here, there) = (try NetworkNamespace(), try NetworkNamespace())
    }

    /// Makes a sender and a receiver; a pair of interfaces is seen from the receiver's side.
    private func peers(_ place: Place) throws -> (sender: UDPPeer, receiver: UDPPeer) {
        if place.isVirtualPair { try here.join(there) }
        let loopback: IPAddress = place.isV6 ? .loopbackV6 : .loopbackV4
        let own = try #require(IPAddress(place.isV6 ? "fd09::1" : "10.9.0.1"))
        let address = place.isVirtualPair ? own : loopback
        let receiver = try here.make { try UDPPeer(at: Endpoint(address: address, port: 0)) }
        let endpoint = try #require(receiver.local)
        let sender = try (place.isVirtualPair ? there : here).make { try UDPPeer(to: endpoint) }
        return (sender, receiver)
    }

    private func waitForEnd(of path: String) throws {
        let deadline = Deadline(seconds: 60)
        while !deadline.isOver {
            let end = try TemporaryFolder.read(path).suffix(4096)
            if String(decoding: end, as: UTF8.self).contains("the end") { return }
            poll(nil, 0, 50)
        }
        throw HelperError("tcpdump does not write the end")
    }

    @Test(
        "Between two markers both have the same packets, in the same order, and neither drops one",
        .needsRoot,
        .needsIPv6,
        .needsProgram("tcpdump"),
        arguments: Place.all
    )
    private func same(place: Place) async throws {
        let (sender, receiver) = try peers(place)
        let port = try #require(receiver.local).port
        let (ours, theirs) = (folder.path + "/ours", folder.path + "/theirs")
        let weir = try WeirProgram(
            ["capture", "-i", place.interface, "-w", ours, "--buffer", "\(Self.buffer)", "udp port \(port)"],
            launcher: here.launcher,
            seconds: 120
        )
        #expect(try weir.readErrorLine() == "capturing on \(place.interface)")
        let tcpdump = try WeirProgram(
            [
                "-i", place.interface, "-w", theirs, "-B", "\(Self.buffer >> 10)", "-U", "-Z", "root",
                "udp port \(port)",
            ],
            launcher: here.launcher + WeirProgram.instead("tcpdump"),
            seconds: 120
        )
        while try !tcpdump.readErrorLine().contains("listening on") {}
        try sender.send("the beginning")
        var payload = [UInt8](repeating: 0, count: 200)
        for number in 0..<Self.count {
            for place in 0..<4 { payload[place] = UInt8(truncatingIfNeeded: number >> (8 * place)) }
            try sender.send(Array(payload[..<(4 + number % 197)]))
        }
        try sender.send("the end")
        try waitForEnd(of: theirs)
        let ended = try await weir.stop(SIGINT)
        #expect(ended.status == 0)
        #expect(
            ended.errors
                == "recorded \(ours)\nweir: \(Self.count + 2) packets captured, 0 dropped by the kernel on \(place.interface)\n"
        )
        let peer = try await tcpdump.stop(SIGINT)
        #expect(peer.errors.contains("\(Self.count + 2) packets captured"))
        #expect(peer.errors.contains("0 packets dropped by kernel"))
        let (found, expected) = (try SeenFrames(at: ours), try SeenFrames(at: theirs))
        #expect(expected.frames.count == Self.count + 2)
        #expect(found.frames.count == expected.frames.count)
        #expect(found.linkType == expected.linkType)
        #expect(zip(found.frames, expected.frames).allSatisfy { $0.bytes == $1.bytes })
        #expect(zip(found.frames, found.frames.dropFirst()).allSatisfy { $0.time <= $1.time })
    }
}
