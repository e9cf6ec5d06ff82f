import Support
import WeirWire

extension IPAddress {
    /// Makes an address of either family, with many zero groups, some zones and some IPv4-mapped ones.
    static func random(using generator: inout SeededGenerator) -> IPAddress {
        func groups() -> UInt64 {
            var half: UInt64 = 0
            for _ in 0..<4 {
                let digits = UInt64.random(in: 0...4, using: &generator)
                let isZero = Bool.random(using: &generator)
                let mask = (UInt64(1) << (4 * digits)) - 1
                half = half << 16 | (isZero ? 0 : generator.next() & mask)
            }
            return half
        }
        let scope = Bool.random(using: &generator) ? 0 : UInt32.random(in: 0 ... .max, using: &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0, 1: return IPAddress(v4: UInt32.random(in: 0 ... .max, using: &generator))
        case 2:
            let low = 0xffff_0000_0000 | UInt64(UInt32.random(in: 0 ... .max, using: &generator))
            return IPAddress(v6: 0, low: low, scope: scope)
        default: return IPAddress(v6: groups(), low: groups(), scope: scope)
        }
    }
}

/// Gives what a closure appends to an empty buffer of the least size, so that growth is part of the test.
func rendered(_ body: (inout ByteBuffer) -> Void) -> String {
    var buffer = ByteBuffer(capacity: 0)
    body(&buffer)
    return buffer.string
}
