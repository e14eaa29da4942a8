DROP TABLE uploads;
DROP TABLE outbox_parcels;
DROP TABLE parcel_chunks;
DROP TABLE parcels;
