import Foundation
import Glibc

/// A generator with a seed, for tests.
struct SeededDice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// A file with a content, removed at its end.
final class ScratchFile {
    let path: String

    init(_ bytes: [UInt8]) throws {
        var template = Array("/tmp/weir-tls-XXXXXX\0".utf8.map { CChar($0) })
        let raw = mkstemp(&template)
        path = String(decoding: template.dropLast().map { UInt8($0) }, as: UTF8.self)
        guard raw >= 0, Glibc.write(raw, bytes, bytes.count) == bytes.count else { throw ScratchError() }
        close(raw)
    }

    deinit { unlink(path) }

    static func now() -> time_t { time(nil) }

    struct ScratchError: Error {}
}

/// A folder of a test's own, removed with all that is in it.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/weir-tls-XXXXXX\0".utf8.map { CChar($0) })
        guard mkdtemp(&template) != nil else { throw ScratchFile.ScratchError() }
        path = String(decoding: template.dropLast().map { UInt8($0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
