import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

/// Whatever happens to a flow, in whatever order: what no receiver of the packets may ever see.
@Suite("What holds for every capture of a stream")
struct CaptureInvariantTests {
    /// Holds what one end of a connection has said so far.
    private struct End {
        var next: UInt32?
        var acknowledged: UInt32?
        var lastPureAcknowledgement: (UInt32, UInt32)?
        var hasFinished = false
    }

    /// Reads the packets of one connection as its receiver would.
    private struct Receiver {
        var ends: [Endpoint: End] = [:]
        var isReset = false

        mutating func read(_ packet: SeenPacket, allowsGaps: Bool) throws {
            let tcp = try #require(packet.tcp)
            var (end, other) = (ends[packet.source] ?? End(), ends[packet.destination] ?? End())
            #expect(!isReset, "nothing follows a reset")
            let length = UInt32(packet.payload.count) + (tcp.flags.isDisjoint(with: [.syn, .fin]) ? 0 : 1)
            if end.hasFinished { #expect(length == 0, "nothing is sent behind an own end") }
            if let next = end.next, !(allowsGaps && length > 0), !tcp.flags.contains(.rst) {
                #expect(tcp.sequenceNumber == next)
            }
            if tcp.flags.contains(.ack), let sent = other.next {
                #expect(tcp.acknowledgmentNumber == sent, "all that was sent is acknowledged, and no byte more")
            }
            if tcp.flags == .ack, length == 0 {
                let numbers = (tcp.sequenceNumber, tcp.acknowledgmentNumber)
                if let last = end.lastPureAcknowledgement { #expect(last != numbers, "nothing is acknowledged twice") }
                end.lastPureAcknowledgement = numbers
            }
            if tcp.flags.contains(.fin) { end.hasFinished = true }
            if tcp.flags.contains(.rst) { isReset = true }
            end.next = tcp.sequenceNumber &+ length
            other.lastPureAcknowledgement = length > 0 ? nil : other.lastPureAcknowledgement
            ends[packet.source] = end
            ends[packet.destination] = other
        }
    }

    /// Tells of a random flow; returns whether chunks were left out.
    private func talk(_ dialogue: inout CaptureDialogue, _ random: inout SplitMix64) -> Bool {
        var hasGaps = false
        dialogue.tell(.opened)
        if Int.random(in: 0..<10, using: &random) == 0 {
            dialogue.tell(.refused(Bool.random(using: &random) ? .connectionRefused : .timedOut))
            dialogue.close(.refused)
            return false
        }
        if Int.random(in: 0..<10, using: &random) > 0 { dialogue.tell(.connected(dial: .zero, isRerouted: false)) }
        for _ in 0..<Int.random(in: 0..<30, using: &random) {
            let direction = Bool.random(using: &random) ? Direction.upstream : .downstream
            switch Int.random(in: 0..<12, using: &random) {
            case 0: dialogue.tell(.ended(direction))
            case 1:
                _ = dialogue.next(direction, Int.random(in: 1..<5_000_000_000, using: &random))
                hasGaps = true
            case 2: dialogue.tell(.dropped(DropRecord(direction: direction, bytes: 5, reason: .reset)))
            case 3: dialogue.advance(.microseconds(Int.random(in: 0..<100, using: &random)))
            default:
                let size = [1, 2, 100, 65_495, 65_496, 200_000].randomElement(using: &random) ?? 1
                dialogue.chunk(direction, [UInt8](repeating: 1, count: size))
            }
        }
        dialogue.close(CloseReason.allCases.randomElement(using: &random) ?? .finished)
        return hasGaps
    }

    @Test("No number is wrong, nothing is said twice, and nothing after the end", arguments: 0..<60)
    func connections(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var dialogue = CaptureDialogue {
            $0.seed = seed
            $0.largestPacket = [576, 1500, 65_535][Int(seed % 3)]
        }
        let hasGaps = talk(&dialogue, &random)
        let capture = try dialogue.capture
        #expect(capture.error == nil && capture.packets.count >= 4)
        var receivers: [String: Receiver] = [:]
        var last = Int64.min
        for packet in capture.packets {
            #expect(packet.hasValidChecksums && packet.time > last)
            #expect(packet.tcp?.window == 65_535)
            last = packet.time
            try receivers[packet.leg, default: Receiver()].read(packet, allowsGaps: hasGaps)
        }
    }
}
