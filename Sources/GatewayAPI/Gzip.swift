import CZlib
import Synchronization

/// A stream of gzip (RFC 1952), made by zlib a piece at a time.
final class Gzip: Sendable {
    /// It stays where it is for the whole time: zlib's own state points back to it.
    private let stream: Mutex<UnsafeMutablePointer<z_stream>>

    struct Failure: Error {
        let code: Int32
    }

    /// - Throws: ``Failure`` when there is no memory.
    init() throws(Failure) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = retrace_gzip_begin(stream, Z_DEFAULT_COMPRESSION)
        self.stream = Mutex(stream)
        guard code == Z_OK else { throw Failure(code: code) }
    }

    deinit {
        stream.withLock { stream in
            deflateEnd(stream)
            stream.deinitialize(count: 1)
            stream.deallocate()
        }
    }

    /// Takes the next piece and gives what is ready; with `isLast`, all that is left. Burns the processor: not for the
    /// cooperative pool.
    func compress(_ bytes: [UInt8], isLast: Bool) throws(Failure) -> [UInt8] {
        var input = bytes
        var failure: Failure?
        var output: [UInt8] = []
        stream.withLock { stream in
            input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(input.count)
                var isFull = true
                while isFull, failure == nil {
                    output += [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
                        stream.pointee.next_out = buffer.baseAddress
                        stream.pointee.avail_out = UInt32(buffer.count)
                        let code = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                        count = buffer.count - Int(stream.pointee.avail_out)
                        // Z_BUF_ERROR says that there was nothing to do, which is no fault.
                        if ![Z_OK, Z_STREAM_END, Z_BUF_ERROR].contains(code) { failure = Failure(code: code) }
                        isFull = stream.pointee.avail_out == 0
                    }
                }
                stream.pointee.next_in = nil
            }
        }
        if let failure { throw failure }
        return output
    }
}
