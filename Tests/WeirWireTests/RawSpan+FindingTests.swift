import Testing
import WeirWire

@Suite("Bytes found in bytes")
struct RawSpanFindingTests {
    @Test("The first of a byte is found at any place of any range, and none outside it")
    func places() {
        for count in 0...27 {
            for place in 0..<count {
                var bytes = [UInt8](repeating: 0x0b, count: count)
                bytes[place] = 0x0a
                for start in 0...count {
                    let found = bytes.span.bytes.find(0x0a, from: start)
                    #expect(found == (start <= place ? place : nil))
                    let before = bytes.span.bytes.find(0x0a, in: 0..<start)
                    #expect(before == (place < start ? place : nil))
                }
            }
        }
    }

    @Test("Of two that are near each other the first is found, with neighbours of either side of its value")
    func nearest() {
        for byte in [0x00, 0x01, 0x0a, 0x7f, 0x80, 0xff] as [UInt8] {
            for distance in 1...9 {
                for place in 0..<9 {
                    var bytes = (0..<24).map { byte &+ ($0 % 2 == 0 ? 1 : 0xff) }
                    bytes[place] = byte
                    bytes[place + distance] = byte
                    let span = bytes.span.bytes
                    let first = span.find(byte, from: 0)
                    let second = span.find(byte, from: place + 1)
                    let third = span.find(byte, from: place + distance + 1)
                    #expect(first == place && second == place + distance && third == nil)
                }
            }
        }
    }

    @Test("A range may go beyond the bytes on either side")
    func clamped() {
        let bytes: [UInt8] = [1, 2, 3, 2]
        let span = bytes.span.bytes
        let inside = span.find(2, in: -5..<100)
        let last = span.find(2, in: 2..<100)
        let beyond = span.find(2, from: 9)
        let none = span.find(9, in: -1..<9)
        #expect(inside == 1 && last == 3 && beyond == nil && none == nil)
    }
}
