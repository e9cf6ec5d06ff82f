import Support
import Synchronization
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("Packets and blocks of a capture")
struct FrameWriterTests {
    /// The names of addresses, which change once.
    private final class Names: Sendable {
        private let changes = Atomic(0)

        func change() { changes.add(1, ordering: .relaxed) }

        func names(of address: IPAddress) -> [String] {
            // Every second address has a name.
            address.isV4 && address.v4 % 2 == 1 ? [] : ["name \(changes.load(ordering: .relaxed))"]
        }
    }

    @Test("Packets are numbered from 1, without a gap, and the bytes on the other leg have the same number")
    func numbers() throws {
        var dialogue = CaptureDialogue()
        dialogue.open()
        dialogue.chunk(.upstream, "abc")
        dialogue.chunk(.downstream, "abc")
        let numbers = try dialogue.capture.packets.compactMap(\.number)
        #expect(numbers == [1, 2, 3, 4, 5, 6, 7, 8, 7, 9, 10, 11, 10, 12])
    }

    @Test("A file without packets has statistics of none, from its beginning to its beginning")
    func empty() throws {
        var dialogue = CaptureDialogue()
        dialogue.advance(.seconds(5))
        dialogue.begin()
        dialogue.finish()
        let start = ManualClock.start.wallNanoseconds + 5_000_000_000
        let capture = try dialogue.capture
        #expect(capture.error == nil && capture.packets.isEmpty && capture.names.isEmpty)
        #expect(capture.statistics.map(\.interface) == [0, 1])
        #expect(capture.statistics.allSatisfy { $0.start == start && $0.end == start && $0.timestamp == start })
        #expect(
            capture.statistics.allSatisfy { $0.delivered == 0 && $0.received == 0 && $0.droppedByInterface == 0 }
        )
    }

    @Test("Without a beginning there is no end")
    func neverBegun() {
        var sink = CaptureSink(CaptureSettings(seed: 1))
        #expect(sink.finished() == "")
    }

    @Test("The interfaces tell between whom their packets were")
    func interfaces() throws {
        let found = try CaptureDialogue().capture.interfaces.map { "\($0.name ?? ""): \($0.description ?? "")" }
        #expect(
            found == [
                "weir:client: between clients and the relay; synthesised from the relay's sockets",
                "weir:server: between the relay and servers; synthesised from the relay's sockets",
            ]
        )
    }

    /// Tells a UDP flow's next server.
    private func dial(_ dialogue: inout CaptureDialogue, _ address: IPAddress) {
        var path = Playbook.path
        path.server = Endpoint(address: address, port: 53)
        dialogue.tell(.connected(dial: .zero, isRerouted: true), path: path)
    }

    @Test("Each address has its names once, again if they change, and the last ones in the next file")
    func names() throws {
        let names = Names()
        var dialogue = CaptureDialogue(.udp) { $0.names = { names.names(of: $0) } }
        let (named, other, unnamed) = (
            IPAddress(v4: 0x0A00_0002), IPAddress(v4: 0x0A00_0004), IPAddress(v4: 0x0A00_0001)
        )
        func written() throws -> [[CaptureNames.Record]] { try dialogue.capture.names.map(\.records) }
        func record(_ address: IPAddress, _ number: Int) -> CaptureNames.Record {
            .address(address, names: ["name \(number)"])
        }
        for address in [named, named, unnamed, other, named] { dial(&dialogue, address) }
        #expect(try written() == [[record(named, 0)], [record(other, 0)]])
        names.change()
        for address in [named, named, unnamed] { dial(&dialogue, address) }
        #expect(try written() == [[record(named, 0)], [record(other, 0)], [record(named, 1)]])
        dialogue.begin()
        #expect(try written() == [[record(named, 1), record(other, 0)]])
    }

    @Test("The zone of an address is no part of it, neither in its names nor for those that were written")
    func zones() throws {
        let names = Names()
        var dialogue = CaptureDialogue(.udp) { $0.names = { names.names(of: $0) } }
        let plain = try #require(IPAddress("fe80::1"))
        for text in ["fe80::1%1", "fe80::1%2", "fe80::1"] { dial(&dialogue, try #require(IPAddress(text))) }
        #expect(try dialogue.capture.names.map(\.records) == [[.address(plain, names: ["name 0"])]])
    }

    @Test("The names of 4,096 addresses are kept; those of a known one may still change")
    func boundsNames() throws {
        let names = Names()
        var dialogue = CaptureDialogue(.udp) { $0.names = { names.names(of: $0) } }
        for number in UInt32(0)..<4098 { dial(&dialogue, IPAddress(v4: 0x0A00_0000 + 2 * number)) }
        #expect(try dialogue.capture.names.count == 4096)
        names.change()
        dial(&dialogue, IPAddress(v4: 0x0A00_0000))
        dial(&dialogue, IPAddress(v4: 0x0A00_0000 + 2 * 4096))
        #expect(try dialogue.capture.names.count == 4097)
    }

    @Test("A pcap file has no names, no comments and no statistics")
    func pcap() throws {
        var dialogue = CaptureDialogue {
            $0.format = .pcap
            $0.names = { _ in ["localhost"] }
        }
        dialogue.open()
        dialogue.finish()
        let capture = try dialogue.capture
        #expect(capture.error == nil && capture.blocks.count == 1 && capture.packets.count == 6)
        #expect(capture.packets.allSatisfy { $0.comments.isEmpty && $0.number == nil })
    }

    @Test("A leg that is not written has no packets, and does not change the times of the others")
    func oneLeg() throws {
        for legs in [CaptureSettings.Legs.client, .server] {
            var dialogue = CaptureDialogue { $0.legs = legs }
            dialogue.open()
            let times = try dialogue.capture.packets.map { $0.time - ManualClock.start.wallNanoseconds }
            #expect(times == [0, 1, 2])
        }
    }
}
