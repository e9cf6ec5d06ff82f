import Testing

@testable import weir_bench

@Suite("XXHash64")
struct XXHash64Tests {
    private func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
        bytes.withUnsafeBytes { XXHash64.hash($0, seed: seed) }
    }

    @Test(
        "Gives what other implementations give",
        arguments: [
            ("", 0xef46_db37_51d8_e999), ("a", 0xd24e_c4f1_a98c_6e5b), ("abc", 0x44bc_2cf5_ad77_0999),
            ("The quick brown fox jumps over the lazy dog", 0x0b24_2d36_1fda_71bc),
            ("Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1),
        ] as [(String, UInt64)]
    )
    func known(text: String, expected: UInt64) {
        #expect(hash(Array(text.utf8)) == expected)
    }

    @Test("Differs where one bit, the length or the seed differs", arguments: [1, 7, 8, 31, 32, 33, 100, 1000])
    func differs(length: Int) {
        var random = SplitMix(state: UInt64(length))
        var bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let whole = hash(bytes)
        #expect(hash(bytes, seed: 1) != whole)
        #expect(hash(Array(bytes.dropLast())) != whole)
        for index in bytes.indices {
            bytes[index] ^= 1 << (index % 8)
            #expect(hash(bytes) != whole)
            bytes[index] ^= 1 << (index % 8)
        }
        #expect(hash(bytes) == whole)
    }
}
