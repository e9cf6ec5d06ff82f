import Support
import Testing

@testable import WeirWire

@Suite("Byte buffer")
struct ByteBufferTests {
    @Test("Is empty at first, with the room asked for")
    func empty() {
        let buffer = ByteBuffer(capacity: 100)
        #expect(buffer.isEmpty == true)
        #expect(buffer.count == 0)
        #expect(buffer.capacity >= 100)
        #expect(buffer.string == "")
    }

    @Test("Appends bytes, texts, literals and spans in order, and grows")
    func appends() {
        let text = "ü" + String(repeating: "-", count: 40)
        let bytes: [UInt8] = [0x31, 0x32]
        let output = rendered {
            $0.append(UInt8(ascii: "a"))
            $0.append("bc")
            $0.append("d\u{e9}" as StaticString)
            $0.append(text)
            $0.append(bytes.span.bytes)
            $0.append([UInt8]().span.bytes)
            $0.append("")
        }
        #expect(output == "abcdé" + text + "12")
    }

    @Test("Keeps every byte over many growths")
    func growth() {
        var buffer = ByteBuffer(capacity: 0)
        for index in 0..<100_000 { buffer.append(UInt8(truncatingIfNeeded: index)) }
        #expect(buffer.count == 100_000)
        let areRight = buffer.withUnsafeBytes { bytes in
            bytes.indices.allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: $0) }
        }
        #expect(areRight)
    }

    @Test("Keeps its storage when emptied")
    func removesAll() {
        var buffer = ByteBuffer(capacity: 16)
        buffer.append(String(repeating: "x", count: 1_000))
        let capacity = buffer.capacity
        buffer.removeAll()
        #expect(buffer.isEmpty == true)
        #expect(buffer.capacity == capacity)
        buffer.append("y")
        #expect(buffer.string == "y")
    }

    @Test("Does not move or grow after room was reserved")
    func reserves() {
        var buffer = ByteBuffer(capacity: 16)
        buffer.append("head")
        buffer.reserve(5_000)
        let capacity = buffer.capacity
        #expect(capacity >= 5_004)
        let before = buffer.withUnsafeBytes { $0.baseAddress }
        for _ in 0..<5_000 { buffer.append(UInt8(ascii: "z")) }
        #expect(buffer.capacity == capacity)
        #expect(buffer.withUnsafeBytes { $0.baseAddress } == before)
        #expect(buffer.string == "head" + String(repeating: "z", count: 5_000))
    }

    @Test("Removes from the front what a partial write took")
    func removesFirst() {
        var buffer = ByteBuffer(capacity: 16)
        buffer.append("Hello, server!")
        buffer.removeFirst(0)
        buffer.removeFirst(7)
        #expect(buffer.string == "server!")
        #expect(buffer.count == 7)
        buffer.append(" and a text that needs more room than there is")
        #expect(buffer.string == "server! and a text that needs more room than there is")
        buffer.removeFirst(buffer.count)
        #expect(buffer.isEmpty == true)
        #expect(buffer.string == "")
    }

    @Test("Serves as a queue in storage that does not grow with what went through")
    func queue() {
        var generator = SeededGenerator(seed: 2)
        var buffer = ByteBuffer(capacity: 64)
        var expected: [UInt8] = []
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...min(50, 200 - expected.count), using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
            buffer.append(bytes.span.bytes)
            expected += bytes
            let taken = Int.random(in: 0...expected.count, using: &generator)
            buffer.removeFirst(taken)
            expected.removeFirst(taken)
            let areEqual = buffer.withUnsafeBytes { $0.elementsEqual(expected) }
            #expect(areEqual)
        }
        #expect(buffer.capacity <= 1_024)
    }

    @Test("Appends what a closure writes into the room, and no more")
    func appendsUsing() {
        var buffer = ByteBuffer(capacity: 16)
        buffer.append("<")
        let written = buffer.append(upTo: 100) { room in
            #expect(room.count == 100)
            room.copyBytes(from: Array("abcdef".utf8))
            return 3
        }
        buffer.append(">")
        #expect(written == 3)
        #expect(buffer.string == "<abc>")
        buffer.append(upTo: 0) { $0.count }
        #expect(buffer.string == "<abc>")
    }

    struct Refusal: Error, Equatable {}

    @Test("Passes on what a closure throws, and then holds what it held")
    func passesErrors() {
        var buffer = ByteBuffer(capacity: 16)
        buffer.append("kept")
        do {
            try buffer.append(upTo: 8) { _ throws(Refusal) in throw Refusal() }
            Issue.record("nothing was thrown")
        } catch {
            #expect(error == Refusal())
        }
        #expect(buffer.string == "kept")
    }

    @Test("Repairs what is not UTF-8 in its text")
    func repairs() {
        #expect(rendered { $0.append(0xff) } == "\u{fffd}")
    }

    @Test("Puts bytes in front where there is room for them, and says where there is none")
    func prepends() {
        var buffer = ByteBuffer(capacity: 32)
        buffer.removeAll(headroom: 3)
        buffer.append("cde" as StaticString)
        let all = Array("ab".utf8)
        #expect(all.withUnsafeBytes { buffer.prepend($0) })
        #expect(buffer.string == "abcde")
        #expect(!all.withUnsafeBytes { buffer.prepend($0) })
        #expect([UInt8]().withUnsafeBytes { buffer.prepend($0) })
        #expect(buffer.string == "abcde")
    }

    @Test("Fills all the room in front of its bytes, and no more", arguments: [0, 1, 2, 15, 16])
    func headroom(_ headroom: Int) {
        for count in 0...headroom + 1 {
            var buffer = ByteBuffer(capacity: 16)
            buffer.removeAll(headroom: headroom)
            let fits = [UInt8](repeating: 0x61, count: count).withUnsafeBytes { buffer.prepend($0) }
            #expect(fits == (count <= headroom))
            #expect(buffer.count == (fits ? count : 0))
            buffer.append("z" as StaticString)
            #expect(buffer.string == (fits ? String(repeating: "a", count: count) : "") + "z")
        }
    }

    @Test("What is cut off its end is gone, and what is put into its middle moves the rest")
    func middle() {
        var buffer = ByteBuffer(capacity: 16)
        buffer.append("0123456789")
        buffer.removeFirst(2)
        buffer.truncate(to: 6)
        #expect(buffer.string == "234567")
        Array("abc".utf8).withUnsafeBytes { buffer.replace(1..<3, with: $0) }
        #expect(buffer.string == "2abc567")
        Array("a text that needs more room".utf8).withUnsafeBytes { buffer.replace(0..<0, with: $0) }
        #expect(buffer.string == "a text that needs more room2abc567")
        buffer.replace(1..<27, with: UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(buffer.string == "a2abc567")
        buffer.truncate(to: 0)
        #expect(buffer.string == "")
    }
}
