import Testing
import WeirEngine

@Suite("A range of ports")
struct PortRangeTests {
    @Test(
        "Is two ports from 1 on, the lower first",
        arguments: [("1-2", 1, 2), ("7-7", 7, 7), ("1-65535", 1, 65_535)]
    )
    func text(text: String, low: Int, high: Int) throws {
        let range = try #require(PortRange(text))
        #expect(range.low == low && range.high == high)
        #expect(range.description == text)
    }

    @Test(
        "Is nothing else",
        arguments: ["", "5", "-5", "5-", "0-5", "5-4", "1-2-3", "1-65536", "+1-2", " 1-2", "1-+2"]
    )
    func refused(text: String) {
        #expect(PortRange(text) == nil)
    }

    @Test("Has both of its ends, and nothing beyond them")
    func ends() {
        let range = PortRange(1000, 1006)
        #expect(range.size == 7)
        #expect((998...1008).filter { range.contains($0) } == Array(1000...1006))
        #expect(range.contains(range) && range.contains(PortRange(1001, 1005)))
        #expect(!range.contains(PortRange(999, 1003)) && !range.contains(PortRange(1003, 1007)))
    }

    @Test("Is put in order, and within what ports can be")
    func bounds() {
        #expect(PortRange(70_000, -1) == PortRange(0, 65_535))
        #expect(PortRange(9, 3) == PortRange(3, 9))
    }

    @Test("Has a lower half of an even number of ports, as the kernel's connect() counts")
    func half() {
        #expect(PortRange(1, 10).lowerHalf == PortRange(1, 4))
        #expect(PortRange(1, 12).lowerHalf == PortRange(1, 6))
        #expect(PortRange(32_768, 60_999).lowerHalf == PortRange(32_768, 46_883))
    }
}
