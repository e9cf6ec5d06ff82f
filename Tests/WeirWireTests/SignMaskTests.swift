import Testing

@testable import WeirWire

@Suite("Sign mask")
struct SignMaskTests {
    @Test("Spreads the top bit of each byte, in each lane")
    func everyByte() {
        for value in UInt8.min ... .max {
            var bytes = SIMD16<UInt8>(repeating: 0x7f)
            let lane = Int(value) % 16
            bytes[lane] = value
            var expected = SIMD16<UInt8>(repeating: 0)
            expected[lane] = value >= 0x80 ? 0xff : 0
            #expect(signMask(of: bytes) == expected)
        }
    }
}
