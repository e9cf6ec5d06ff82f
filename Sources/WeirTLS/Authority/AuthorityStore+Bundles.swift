import COpenSSL
import Glibc

/// Files of certificates that programs trust, the authority's among them.
///
/// Each is called by what it holds (`bundle-0123456789abcdef.pem`), so that programs that run at the same time share it, and none is changed
/// while a program may read it. Programs may go on when the one that made the file has ended; it is removed a month after its last use.
extension AuthorityStore {
    /// How long an unused bundle is kept, in seconds.
    private static let bundleLifetime = 30 * 86_400

    /// Makes a bundle, or finds it, and removes those that were not used for a month.
    ///
    /// - Parameters:
    ///   - certificates: the certificates, in PEM.
    ///   - now: the time in seconds since 1970 UTC.
    /// - Returns: the path of the file, which other users can read.
    /// - Throws: `TLSSetupError` if it cannot be written.
    package func bundle(_ certificates: [UInt8], at now: Int) throws(TLSSetupError) -> String {
        removeBundles { now - $0 > Self.bundleLifetime }
        var digest = [UInt8](repeating: 0, count: 32)
        guard EVP_Digest(certificates, certificates.count, &digest, nil, EVP_sha256(), nil) == 1 else {
            throw TLSSetupError("OpenSSL has no SHA-256")
        }
        let path = "\(folder)/bundle-\(Array(digest.prefix(8)).hexadecimal).pem"
        // The time of its last use.
        if utimensat(AT_FDCWD, path, nil, 0) == 0 { return path }
        let part = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(part) }
        try write(certificates, to: part, mode: 0o644)
        guard rename(part, path) == 0 else { throw failure("make '\(path)'") }
        return path
    }

    /// Removes bundles.
    ///
    /// - Parameter isOld: returns whether one is removed that was used last at this time, in seconds since 1970 UTC.
    func removeBundles(where isOld: (Int) -> Bool) {
        guard let entries = opendir(folder) else { return }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix("bundle-"), name.contains(".pem") else { continue }
            let path = "\(folder)/\(name)"
            var status = stat()
            if stat(path, &status) == 0, isOld(status.st_mtim.tv_sec) { unlink(path) }
        }
    }
}
