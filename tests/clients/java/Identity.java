import com.google.protobuf.ByteString;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Map;
import org.xianjie.v1.Algorithm;
import org.xianjie.v1.Signature;

/** A certificate and its key, and signatures in DSSE. */
final class Identity {
    static final String DOCUMENT = "application/vnd.xianjie.document.v1+protobuf";
    static final String ACKNOWLEDGEMENT = "application/vnd.xianjie.acknowledgement.v1+protobuf";

    final String signedBy;
    private final byte[] sha256;
    private final PrivateKey key;
    private final boolean ed25519;

    Identity(Path folder, Map<String, String> profile, String section) throws Exception {
        byte[] pem = Files.readAllBytes(folder.resolve(profile.get(section + ".certificate")));
        X509Certificate certificate = certificate(pem);
        sha256 = Receipts.sha256(certificate.getEncoded());
        // "EdDSA" or "EC", as Java calls them.
        String algorithm = certificate.getPublicKey().getAlgorithm();
        ed25519 = !algorithm.equals("EC");
        String text = Files.readString(folder.resolve(profile.get(section + ".key")));
        byte[] pkcs8 = Base64.getMimeDecoder().decode(text.replaceAll("-----[A-Z ]+-----", ""));
        key = KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        signedBy = profile.getOrDefault(section + ".signed_by", "");
    }

    /** From PEM or DER. */
    static X509Certificate certificate(byte[] bytes) throws Exception {
        var factory = CertificateFactory.getInstance("X.509");
        return (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(bytes));
    }

    Signature sign(String payloadType, byte[] payload) throws Exception {
        var signer = java.security.Signature.getInstance(ed25519 ? "Ed25519" : "SHA256withECDSA");
        signer.initSign(key);
        signer.update(pae(payloadType, payload));
        return Signature.newBuilder()
                .setAlgorithm(ed25519 ? Algorithm.ALGORITHM_ED25519 : Algorithm.ALGORITHM_ECDSA_P256_SHA256)
                .setCertificateSha256(ByteString.copyFrom(sha256))
                .setValue(ByteString.copyFrom(signer.sign()))
                .build();
    }

    static boolean verifies(PublicKey key, String payloadType, byte[] payload, Signature signature)
            throws Exception {
        boolean ec = key.getAlgorithm().equals("EC");
        var verifier = java.security.Signature.getInstance(ec ? "SHA256withECDSA" : "Ed25519");
        verifier.initVerify(key);
        verifier.update(pae(payloadType, payload));
        return verifier.verify(signature.getValue().toByteArray());
    }

    /** DSSE v1 pre-authentication encoding: what is signed instead of the payload itself. */
    private static byte[] pae(String payloadType, byte[] payload) {
        var bytes = new ByteArrayOutputStream();
        int length = payloadType.getBytes(StandardCharsets.UTF_8).length;
        String head = "DSSEv1 " + length + " " + payloadType + " " + payload.length + " ";
        bytes.writeBytes(head.getBytes(StandardCharsets.UTF_8));
        bytes.writeBytes(payload);
        return bytes.toByteArray();
    }
}
