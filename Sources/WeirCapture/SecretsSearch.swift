import Glibc
import WeirWire

/// The search for secrets of TLS (Decryption Secrets Blocks) in a pcapng file, before its packets are read.
///
/// The blocks at the file's beginning and at its end are looked at, which costs two short reads. If there is a secret, or the
/// caller wants it, the headers of all blocks are.
///
/// Source: draft-ietf-opsawg-pcapng sections 3.1 and 4.7.
public struct SecretsSearch {
    private let descriptor: Int32
    private let size: Int
    private var order = ByteOrder.little
    private var window: [UInt8] = []
    private var windowStart = 0
    private var found: [[UInt8]] = []

    /// The size in bytes of what is read at once, and of the beginning that is always looked at.
    private static let windowSize = 64 << 10
    /// The number of blocks at the end that are looked at.
    private static let mostAtEnd = 256
    private static let mostSecrets = 16 << 20

    /// Finds the secrets of a file.
    ///
    /// - Parameters:
    ///   - path: The path; what cannot be read has no secrets here, and its reader tells why.
    ///   - isThorough: Whether all of the file is searched in any case.
    /// - Returns: The texts of the secrets; none if it is no pcapng file of a known size.
    public static func secrets(in path: String, isThorough: Bool) -> [[UInt8]] {
        let descriptor = path == "-" ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
        var search = SecretsSearch(descriptor, size: Int(status.st_size))
        guard search.number(at: 0) == BlockCode.section, search.readOrder(at: 0) else { return [] }
        search.readForward(upTo: windowSize)
        search.readEnd()
        guard isThorough || !search.found.isEmpty else { return [] }
        search.found = []
        search.readForward(upTo: search.size)
        return search.found
    }

    private init(_ descriptor: Int32, size: Int) {
        (self.descriptor, self.size) = (descriptor, size)
    }

    private enum BlockCode {
        static let section: UInt32 = 0x0a0d_0d0a
        static let secrets: UInt32 = 0x0a
        static let packets: Set<UInt32> = [2, 3, 6]
    }

    /// Looks at the blocks that begin before an offset.
    private mutating func readForward(upTo limit: Int) {
        var offset = 0
        while offset < limit, let type = number(at: offset) {
            // Its magic number stands behind its length.
            if type == BlockCode.section, !readOrder(at: offset) { return }
            guard let length = number(at: offset + 4).map({ Self.padded(Int($0)) }), length >= 12 else { return }
            if type == BlockCode.secrets { readSecrets(at: offset, length) }
            offset += length
        }
    }

    /// Looks at the blocks behind the last packet.
    private mutating func readEnd() {
        var end = size
        for _ in 0..<Self.mostAtEnd {
            guard let length = number(at: end - 4).map({ Self.padded(Int($0)) }), length >= 12, length <= end,
                let first = number(at: end - length + 4), Self.padded(Int(first)) == length,
                let type = number(at: end - length), !BlockCode.packets.contains(type)
            else { return }
            end -= length
            if type == BlockCode.secrets { readSecrets(at: end, length) }
        }
    }

    private mutating func readSecrets(at offset: Int, _ length: Int) {
        guard let format = number(at: offset + 8), format == CaptureSecrets.Format.tls.rawValue,
            let count = number(at: offset + 12).map({ Int($0) }), count <= length - 20, count <= Self.mostSecrets
        else { return }
        let bytes = read(count, at: offset + 16)
        if bytes.count == count { found.append(bytes) }
    }

    private mutating func readOrder(at offset: Int) -> Bool {
        for order in ByteOrder.allCases {
            self.order = order
            if number(at: offset + 8) == 0x1a2b_3c4d { return true }
        }
        return false
    }

    /// Reads a number of 32 bits; nil if it is not there.
    private mutating func number(at offset: Int) -> UInt32? {
        guard offset >= 0, offset <= size - 4 else { return nil }
        if offset < windowStart || offset + 4 > windowStart + window.count {
            window = read(Self.windowSize, at: offset)
            windowStart = offset
        }
        let start = offset - windowStart
        guard start + 4 <= window.count else { return nil }
        let number = window[start..<(start + 4)].reduce(0) { $0 << 8 | UInt32($1) }
        return order == .big ? number : number.byteSwapped
    }

    private func read(_ count: Int, at offset: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { room, done in
            while done < count {
                let read = pread(descriptor, room.baseAddress?.advanced(by: done), count - done, offset + done)
                if read < 0, errno == EINTR { continue }
                guard read > 0 else { return }
                done += read
            }
        }
    }

    private static func padded(_ length: Int) -> Int { (length + 3) & ~3 }
}
