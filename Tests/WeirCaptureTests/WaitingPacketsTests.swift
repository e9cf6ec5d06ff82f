import Testing
import WeirCapture

@Suite("Waiting packets")
struct WaitingPacketsTests {
    @Test("Go in the order in which they came, up to the first that stays")
    func order() throws {
        var waiting = WaitingPackets()
        for number in 0..<10 {
            let bytes = [UInt8](repeating: UInt8(number), count: number)
            waiting.append(LivePacket(timestamp: Int64(number), originalLength: 100), bytes.span.bytes)
        }
        let size = waiting.count
        #expect(size == 45)
        var seen: [Int64] = []
        for limit in [3, 4, 10] {
            waiting.offer { packet, bytes in
                guard packet.timestamp < limit else { return false }
                #expect(bytes.byteCount == packet.timestamp)
                #expect(bytes.withUnsafeBytes { $0.allSatisfy { $0 == UInt8(packet.timestamp) } })
                seen.append(packet.timestamp)
                return true
            }
            let isEmpty = waiting.isEmpty
            #expect(isEmpty == (limit == 10))
        }
        #expect(seen == Array(0..<10))
        waiting.append(LivePacket(timestamp: 11, originalLength: 1), [UInt8(1)].span.bytes)
        let (isEmpty, rest) = (waiting.isEmpty, waiting.count)
        #expect(!isEmpty)
        #expect(rest == 1)
    }
}
