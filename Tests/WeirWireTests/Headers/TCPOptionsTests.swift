import Support
import Testing
import WeirWire

@Suite("TCP options")
struct TCPOptionsTests {
    private func options(_ text: String) throws -> TCPOptions {
        let wire = hex(text)
        let bytes = OptionBytes(wire.span.bytes)
        return TCPOptions(bytes: try #require(bytes))
    }

    @Test("Reads those of a real SYN in their order")
    func syn() throws {
        let options = try options("020405b4 01 030304 0101 080a 164add20 00000000 0402 0000")
        let expected: [TCPOption] = [
            .maximumSegmentSize(1460), .noOperation, .windowScale(4), .noOperation, .noOperation,
            .timestamps(value: 0x164a_dd20, echo: 0), .selectiveAcknowledgmentPermitted, .endOfList,
        ]
        #expect(Array(options) == expected)
        #expect(options.maximumSegmentSize == 1460 && options.windowScale == 4)
    }

    @Test("Reads one to four blocks of a selective acknowledgment", arguments: 1...4)
    func blocks(count: Int) throws {
        let text = (0..<count).map { "0000000\($0) fffffff\($0)" }.joined()
        let option = try #require(Array(try options("05 \(["0a", "12", "1a", "22"][count - 1])" + text)).first)
        guard case .selectiveAcknowledgment(let blocks) = option else {
            Issue.record("not a selective acknowledgment: \(option)")
            return
        }
        #expect(blocks.count == count)
        for index in 0..<count {
            #expect(blocks[index].start == UInt32(index) && blocks[index].end == 0xffff_fff0 + UInt32(index))
        }
    }

    @Test("Keeps the place of options that it does not read, and of those with a length not their own")
    func others() throws {
        #expect(Array(try options("1e04 0081 01")) == [.other(kind: 30, content: 2..<4), .noOperation])
        #expect(Array(try options("0203 05 01")) == [.other(kind: 2, content: 2..<3), .noOperation])
        #expect(Array(try options("0502")) == [.other(kind: 5, content: 2..<2)])
    }

    @Test(
        "Stops at a length that is missing, too small or too large",
        arguments: ["01 02", "01 02 00 ff", "01 02 01 ff", "01 02 04 05", "01 02 ff 05 b4"]
    )
    func malformed(text: String) throws {
        #expect(Array(try options(text)) == [.noOperation, .malformed(kind: 2, at: 1)])
    }

    @Test("Bounds the window scale at 14")
    func scale() throws {
        #expect(try options("030300").windowScale == 0)
        #expect(try options("03030e").windowScale == 14)
        #expect(try options("0303ff").windowScale == 14)
        #expect(try options("0000").windowScale == nil)
    }

    @Test("Reads back what it appends, and appends no more than fits")
    func appends() throws {
        let made = TCPOptions(maximumSegmentSize: 65_495, windowScale: 7)
        #expect(made.maximumSegmentSize == 65_495 && made.windowScale == 7)
        #expect(TCPOptions(maximumSegmentSize: 536, windowScale: nil).windowScale == nil)
        let list = Array(try options("050a 00000001 00000002 080a 00000003 00000004 0402 01 030301 020405b4 00"))
        var copy = TCPOptions()
        for option in list {
            let isAppended = copy.append(option)
            #expect(isAppended)
        }
        #expect(Array(copy) == list)
        #expect(copy.bytes.count == 31)
        let appended = [
            copy.append(.timestamps(value: 1, echo: 2)), copy.append(.other(kind: 30, content: 0..<1)),
            copy.append(.maximumSegmentSize(1)), copy.append(.maximumSegmentSize(1)), copy.append(.windowScale(1)),
            copy.append(.noOperation),
        ]
        #expect(appended == [false, false, true, true, false, true])
    }

    @Test("Never traps, on any bytes")
    func hostile() {
        var generator = SeededGenerator(seed: 10)
        for _ in 0..<5000 {
            var bytes = OptionBytes()
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                bytes.append(UInt8.random(in: 0...12, using: &generator))
            }
            let found = Array(TCPOptions(bytes: bytes))
            #expect(found.count <= bytes.count)
        }
    }
}
