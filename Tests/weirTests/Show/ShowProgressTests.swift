import Testing

@testable import weir

@Suite("The progress of weir show")
struct ShowProgressTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("Only files of more than 100 MB together have a bar")
    func needsMuch() {
        #expect(ShowProgress(of: 100_000_000, at: 0) == nil && ShowProgress(of: 100_000_001, at: 0) != nil)
        #expect(ShowProgress(["-"], isLive: false) == nil)
    }

    @Test("The bar has the share, the megabytes and the rate, and goes on from file to file")
    func draws() throws {
        var bar = try #require(ShowProgress(of: 300_000_000, at: Self.second))
        func expect(_ read: Int, _ time: UInt64, _ text: String) {
            #expect(bar.text(read, at: Self.second + time) == "\r[" + text + "\u{1B}[K")
        }
        #expect(bar.endText == nil)
        expect(0, Self.second, "..............................] 0 %  0 of 300 MB  0 MB/s")
        #expect(bar.endText == "\r\u{1B}[K")
        expect(9_999_999, 2 * Self.second, "..............................] 3 %  9 of 300 MB  4 MB/s")
        expect(10_000_000, 3 * Self.second, "#.............................] 3 %  10 of 300 MB  3 MB/s")
        expect(150_000_000, 4 * Self.second, "###############...............] 50 %  150 of 300 MB  37 MB/s")
        bar.endFile(200_000_000)
        expect(50_000_000, 5 * Self.second, "#########################.....] 83 %  250 of 300 MB  50 MB/s")
        bar.endFile(50_000_000)
        expect(50_000_000, 6 * Self.second, "##############################] 100 %  300 of 300 MB  50 MB/s")
        expect(90_000_000, 7 * Self.second, "##############################] 100 %  340 of 300 MB  48 MB/s")
    }

    @Test("It is drawn ten times a second at most, and first after a tenth")
    func drawsSeldom() throws {
        var bar = try #require(ShowProgress(of: 300_000_000, at: Self.second))
        let tenth = Self.second / 10
        let times = [0, tenth, tenth + 1, 2 * tenth + 1, 2 * tenth + 2, 4 * tenth, 5 * tenth, 5 * tenth + 1]
        let drawn = times.map { bar.text(1, at: Self.second + $0) != nil }
        #expect(drawn == [false, false, true, false, true, true, false, true])
    }
}
