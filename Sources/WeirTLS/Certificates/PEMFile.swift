import Glibc

/// A file of certificates and keys in PEM.
enum PEMFile {
    /// Reads a file of at most 1 MiB.
    ///
    /// - Parameters:
    ///   - path: the file's path.
    ///   - isSecret: whether it is an error that other users have rights to it.
    /// - Returns: its bytes; nil if there is none.
    /// - Throws: `TLSSetupError` if it cannot be read, or is larger.
    static func read(_ path: String, isSecret: Bool = false) throws(TLSSetupError) -> [UInt8]? {
        let raw = open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(path)
        }
        defer { close(raw) }
        var status = stat()
        if isSecret, fstat(raw, &status) == 0, status.st_mode & 0o077 != 0 {
            throw TLSSetupError("other users have rights to the key '\(path)'; run: chmod 600 '\(path)'")
        }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes {
                Glibc.read(raw, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if more == 0 { return Array(bytes.prefix(count)) }
            if more < 0, errno == EINTR { continue }
            guard more > 0 else { throw failure(path) }
            count += more
        }
        throw TLSSetupError("'\(path)' is larger than 1 MiB, so it is no certificate or key")
    }

    private static func failure(_ path: String) -> TLSSetupError {
        TLSSetupError("cannot read '\(path)': \(String(cString: strerror(errno)))", .input)
    }
}

extension TLSCertificate {
    /// Reads a certificate, its chain and its key of one file in PEM.
    ///
    /// - Parameter path: the file's path.
    /// - Throws: `TLSSetupError` if it cannot be read, or one of them is missing.
    package init(file path: String) throws(TLSSetupError) {
        guard let bytes = try PEMFile.read(path) else { throw TLSSetupError("there is no file '\(path)'", .input) }
        try self.init(pem: bytes, of: path)
    }
}
