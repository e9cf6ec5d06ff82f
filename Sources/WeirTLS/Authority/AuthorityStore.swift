import Glibc

/// The folder with the authority of this user.
///
/// The folder has the mode 0700, its key `ca-key.pem` 0600, and its certificate `ca.pem` 0644. The key is never written twice: of two
/// programs that make an authority at the same time, one makes it, and the other one reads it.
package struct AuthorityStore: Sendable {
    /// The path of the folder.
    package let folder: String

    /// The path of the authority's certificate.
    package var certificatePath: String { folder + "/ca.pem" }
    /// The path of the authority's key.
    package var keyPath: String { folder + "/ca-key.pem" }

    /// Uses a folder; a path that is not absolute is one of the current folder, whatever that is later.
    package init(folder: String) {
        guard !folder.hasPrefix("/"), let current = getcwd(nil, 0) else {
            self.folder = folder
            return
        }
        defer { free(current) }
        self.folder = String(cString: current) + "/" + folder
    }

    /// Uses the user's own folder: `weir/tls` in `$XDG_DATA_HOME`, or in `~/.local/share`.
    ///
    /// - Parameter variable: returns the value of a variable of the environment.
    /// - Throws: `TLSSetupError` if neither variable leads to a folder.
    package init(variable: (String) -> String?) throws(TLSSetupError) {
        // Source: the XDG Base Directory Specification: a path that is not absolute is ignored.
        if let base = variable("XDG_DATA_HOME"), base.hasPrefix("/") {
            folder = base + "/weir/tls"
        } else if let home = variable("HOME"), home.hasPrefix("/") {
            folder = home + "/.local/share/weir/tls"
        } else {
            throw TLSSetupError("neither XDG_DATA_HOME nor HOME names a folder for the CA; give one with --tls-ca")
        }
    }

    /// Reads the authority; nil if there is none.
    ///
    /// - Throws: `TLSSetupError` if it cannot be read, is incomplete or damaged, or if other users can read its key.
    package func load() throws(TLSSetupError) -> Authority? {
        let certificate = try PEMFile.read(certificatePath)
        let key = try PEMFile.read(keyPath, isSecret: true)
        if certificate == nil, key == nil { return nil }
        guard let certificate, let key else {
            let (there, missing) = certificate == nil ? (keyPath, certificatePath) : (certificatePath, keyPath)
            throw TLSSetupError("there is '\(there)', but no '\(missing)'; remove the first, or bring the second back")
        }
        // One text for both, so that the errors are those of any certificate with its key.
        return try Authority(TLSCertificate(pem: certificate + key, of: folder), of: certificatePath)
    }

    /// Reads the authority, or makes it.
    ///
    /// - Parameters:
    ///   - host: this machine's name.
    ///   - now: the time in seconds since 1970 UTC.
    /// - Returns: the authority, and whether it was made now.
    /// - Throws: `TLSSetupError`.
    package func loadOrMake(host: String, at now: Int) throws(TLSSetupError) -> (authority: Authority, isNew: Bool) {
        if let authority = try loadWhole() { return (authority, false) }
        let authority = try Authority(on: host, at: now)
        if try save(authority) { return (authority, true) }
        // Another program was faster.
        guard let other = try loadWhole() else { throw TLSSetupError("the CA in '\(folder)' was removed meanwhile") }
        return (other, false)
    }

    /// Reads the authority, and waits a moment for another program that is about to write its second file.
    private func loadWhole() throws(TLSSetupError) -> Authority? {
        for _ in 0..<50 {
            if access(keyPath, F_OK) != 0 || access(certificatePath, F_OK) == 0 { break }
            usleep(20_000)
        }
        return try load()
    }

    /// Writes a new authority.
    ///
    /// - Returns: false if there is one already.
    /// - Throws: `TLSSetupError` if it cannot be written.
    package func save(_ authority: Authority) throws(TLSSetupError) -> Bool {
        try makeFolder()
        let mark = "\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let (key, certificate) = ("\(keyPath).\(mark)", "\(certificatePath).\(mark)")
        defer {
            unlink(key)
            unlink(certificate)
        }
        try write(authority.certificate.key.pem, to: key, mode: 0o600)
        try write(authority.certificate.certificate.pem, to: certificate, mode: 0o644)
        // A link is made only if there is no such file: the key decides who was first.
        guard link(key, keyPath) == 0 else {
            if errno == EEXIST { return false }
            throw failure("make '\(keyPath)'")
        }
        guard rename(certificate, certificatePath) == 0 else {
            let error = failure("make '\(certificatePath)'")
            unlink(keyPath)
            throw error
        }
        return true
    }

    /// Removes the authority, and the bundles with it; returns false if there is none.
    ///
    /// - Throws: `TLSSetupError` if it cannot be removed.
    package func remove() throws(TLSSetupError) -> Bool {
        removeBundles { _ in true }
        var wasThere = false
        for path in [certificatePath, keyPath] {
            if unlink(path) == 0 {
                wasThere = true
            } else if errno != ENOENT, errno != ENOTDIR {
                throw failure("remove '\(path)'")
            }
        }
        return wasThere
    }

    // MARK: - Files

    private func makeFolder() throws(TLSSetupError) {
        var path = ""
        for part in folder.split(separator: "/") {
            path += "/" + part
            guard mkdir(path, 0o700) == 0 || errno == EEXIST || access(path, X_OK) == 0 else {
                throw failure("make the folder '\(path)'")
            }
        }
    }

    func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(TLSSetupError) {
        let raw = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard raw >= 0 else { throw failure("make '\(path)'") }
        defer { close(raw) }
        var at = 0
        while at < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(raw, $0.baseAddress?.advanced(by: at), $0.count - at) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write '\(path)'") }
            at += count
        }
        // The user's mask may have taken a right away: others need the certificate.
        guard fchmod(raw, mode) == 0, fsync(raw) == 0 || errno == EINVAL else { throw failure("write '\(path)'") }
    }

    func failure(_ attempt: String) -> TLSSetupError {
        TLSSetupError("cannot \(attempt): \(String(cString: strerror(errno)))", .output)
    }
}
