#if Gzip
import CZlib
import Testing

@testable import WeirCapture

@Suite("Gzip inflater")
struct GzipInflaterTests {
    /// Makes a gzip file whose bytes are stored as they are: a head of 15 bytes, the bytes, and 8 more.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let sum = UInt32(crc32(0, bytes, UInt32(bytes.count)))
        let count = UInt16(bytes.count)
        func little(_ number: UInt32, _ bytes: Int) -> [UInt8] {
            (0..<bytes).map { UInt8(number >> (8 * UInt32($0)) & 255) }
        }
        return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1] + little(UInt32(count), 2) + little(UInt32(~count), 2) + bytes
            + little(sum, 4) + little(UInt32(bytes.count), 4)
    }

    /// Inflates a file that comes in pieces; gives what came out, and what was wrong in the end.
    private static func inflate(_ file: [UInt8], first: Int = 0, piece: Int, room: Int) -> (
        bytes: [UInt8], failure: CaptureFailure?
    ) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
        defer { room.deallocate() }
        let start = UnsafeMutableRawBufferPointer.allocate(byteCount: first, alignment: 1)
        defer { start.deallocate() }
        start.copyBytes(from: file[..<first])
        var inflater = GzipInflater(path: "a.gz", first: UnsafeRawBufferPointer(start))
        var (place, result) = (first, [UInt8]())
        do throws(CaptureFailure) {
            while true {
                let count = try inflater.inflate(into: room) { target in
                    let part = file[place..<min(place + min(piece, target.count), file.count)]
                    target.copyBytes(from: part)
                    place += part.count
                    return part.count
                }
                if count == 0 { return (result, nil) }
                result += room[..<count]
            }
        } catch {
            // It stays as it is.
            var again: CaptureFailure?
            do throws(CaptureFailure) { _ = try inflater.inflate(into: room) { _ in 0 } } catch { again = error }
            #expect(again == error)
            return (result, error)
        }
    }

    private static let text = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }

    @Test(
        "Gives what was stored, in one file or several, in pieces and rooms of any size",
        arguments: [1, 2, 7, 20, 5000],
        [1, 3, 64, 5000]
    )
    func whole(piece: Int, room: Int) {
        let (one, two) = (Self.stored(Self.text), Self.stored([1, 2, 3]))
        let files: [([UInt8], [UInt8])] = [
            (one, Self.text), (one + two, Self.text + [1, 2, 3]), (two + [0, 0, 0] + one, [1, 2, 3] + Self.text),
            (two + [UInt8](repeating: 0, count: 40), [1, 2, 3]), (Self.stored([]), []),
            (Self.stored([]) + two, [1, 2, 3]),
        ]
        for (file, bytes) in files {
            for first in [0, 2, 19, file.count] {
                let result = Self.inflate(file, first: first, piece: piece, room: room)
                #expect(result.bytes == bytes && result.failure == nil)
            }
        }
    }

    @Test("A file that is cut anywhere gives what is there, and says where it ends", arguments: [1, 5000])
    func cut(piece: Int) {
        let (one, two) = (Self.stored(Array(Self.text[..<20])), Self.stored([1, 2]))
        let file = one + [0] + two
        for count in 0...file.count {
            let result = Self.inflate(Array(file[..<count]), piece: piece, room: 100)
            let inSecond = count - one.count - 1
            let isWhole = count == one.count || count == one.count + 1 || count == file.count
            #expect(result.failure == (isWhole ? nil : .gzip(.cut, at: count, path: "a.gz")), "\(count)")
            let expected = Array(Self.text[..<max(0, min(20, count - 15))]) + [1, 2].prefix(max(0, inSecond - 15))
            #expect(result.bytes == expected, "\(count)")
        }
    }

    @Test("What is behind the end must be a gzip file or zeros", arguments: [1, 2, 5000])
    func trailing(piece: Int) {
        let file = Self.stored([1, 2, 3])
        for (tail, offset) in [([9], 0), ([0, 0, 7], 2), ([0x1e, 0x8b], 0), ([0x20], 0)] as [([UInt8], Int)] {
            let result = Self.inflate(file + tail, piece: piece, room: 2)
            #expect(result.bytes == [1, 2, 3])
            #expect(result.failure == .gzip(.trailing, at: file.count + offset, path: "a.gz"))
        }
        let wrong = Self.inflate(file + [0x1f, 0x8c], piece: piece, room: 2)
        #expect(wrong.bytes == [1, 2, 3])
        guard case .gzip(.malformed, at: let offset, "a.gz") = wrong.failure else {
            Issue.record("\(String(describing: wrong.failure))")
            return
        }
        #expect(offset == file.count + 2)
    }

    @Test("A sum that is wrong comes after the bytes", arguments: [1, 5000])
    func damaged(piece: Int) {
        var file = Self.stored([1, 2, 3])
        file[18] ^= 1
        let result = Self.inflate(file, piece: piece, room: 2)
        #expect(result.bytes == [1, 2, 3])
        guard case .gzip(.malformed("incorrect data check"), at: let offset, "a.gz") = result.failure else {
            Issue.record("\(String(describing: result.failure))")
            return
        }
        #expect((18...22).contains(offset))
    }

    @Test("Does not wait for more while it has something to give")
    func early() throws {
        let file = Self.stored(Self.text)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1000, alignment: 1)
        defer { room.deallocate() }
        let start = UnsafeMutableRawBufferPointer.allocate(byteCount: 50, alignment: 1)
        defer { start.deallocate() }
        start.copyBytes(from: file[..<50])
        var inflater = GzipInflater(path: "a.gz", first: UnsafeRawBufferPointer(start))
        var asked = 0
        let count = try inflater.inflate(into: room) { _ in
            asked += 1
            return 0
        }
        #expect(count == 35 && asked == 0)
    }
}
#endif
