import Glibc

/// Writes files of random bytes.
enum RandomFile {
    /// Writes so many random bytes to a new file.
    static func write(count: Int, to path: String) throws(BenchError) {
        let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw .lastCall("open", on: path) }
        let file = Descriptor(number)
        var chunk = [UInt64](repeating: 0, count: 1 << 17)
        var generator = SystemRandomNumberGenerator()
        var remaining = count
        while remaining > 0 {
            for index in chunk.indices { chunk[index] = generator.next() }
            let wanted = min(remaining, chunk.count * MemoryLayout<UInt64>.size)
            let written = chunk.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, wanted) }
            guard written > 0 else { throw .lastCall("write", on: path) }
            remaining -= written
        }
    }
}
